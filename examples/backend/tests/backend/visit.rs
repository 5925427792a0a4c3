//! A visit to the running example.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use ureq::Agent;

/// Returns the text between `before` and `after`.
fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    text.split_once(before).and_then(|(_, rest)| rest.split_once(after)).unwrap().0
}

#[test]
fn visitor_is_greeted_with_the_shared_data() {
    let (mut backend, address) = crate::start(&[("DIDIT_SANDBOX", "1")], Stdio::inherit());
    let address = address.as_str();
    let agent: Agent = Agent::config_builder().max_redirects(0).proxy(None).build().into();
    let read = |cookie: &str| {
        let mut answer = agent.get(address).header("Cookie", cookie).call().unwrap();
        answer.body_mut().read_to_string().unwrap()
    };

    assert!(read("visit=unknown").contains("Share my data"));
    let started_visit = agent.post(address).send_empty().unwrap();
    assert_eq!(
        (started_visit.status().as_u16(), &started_visit.headers()["location"]),
        (303, &"/".parse().unwrap())
    );
    let cookie = started_visit.headers()["set-cookie"].to_str().unwrap();
    assert!(cookie.contains("; HttpOnly; SameSite=Lax"), "{cookie}");
    let cookie = cookie.split(';').next().unwrap();
    let waiting = read(cookie);
    assert!(waiting.contains("<svg") && waiting.contains("http-equiv=\"refresh\""), "{waiting}");
    assert!(read("").contains("Share my data"), "the visit belongs to one browser");

    let phone = between(&waiting, "<a href=\"", "\"");
    let asked = agent.get(phone).call().unwrap().body_mut().read_to_string().unwrap();
    let form = between(&asked, "name=\"form\" value=\"", "\"");
    let shared = [
        ("form", form),
        ("share", "names"),
        ("share", "is_over_18"),
        ("names.full_name", "Zoë <Doe>"),
        ("answer", "confirm"),
    ];
    assert_eq!(agent.post(phone).send_form(shared).unwrap().status().as_u16(), 303);

    let started = Instant::now();
    let greeting = loop {
        let page = read(cookie);
        if !page.contains("refresh") {
            break page;
        }
        assert!(started.elapsed() < Duration::from_secs(20), "{page}");
        std::thread::sleep(Duration::from_millis(100));
    };
    assert!(greeting.contains("Hello, Zoë &lt;Doe&gt;!"), "{greeting}");
    assert!(greeting.contains("You did not share: email"), "{greeting}");
    assert!(!greeting.contains("@example.com"), "{greeting}");

    let forged = agent.post(address).header("Sec-Fetch-Site", "cross-site").send_empty();
    assert!(matches!(forged, Err(ureq::Error::StatusCode(403))), "{forged:?}");
    drop(agent);
    let killed = Command::new("kill").arg(backend.id().to_string()).status().unwrap();
    assert!(killed.success() && backend.wait().unwrap().success());
}
