use didit_sandbox::{Sandbox, fixtures};
use serde_json::{Value, json};

use super::{WORKFLOW, ask, create, id_of, keys};

#[test]
fn next_links_lead_through_all_pages() {
    let sandbox = Sandbox::start().unwrap();
    for number in 1..=5 {
        create(&sandbox, &json!({"vendor_data": format!("user-{number}")}));
    }
    let mut path = "/v3/sessions/?limit=2&search=user".to_owned();
    let mut seen = Vec::new();
    loop {
        let page = ask(&sandbox, "GET", &path, "").json();
        assert_eq!(page["count"], 5);
        seen.extend(
            page["results"].as_array().unwrap().iter().map(|row| row["session_number"].clone()),
        );
        let Some(next) = page["next"].as_str() else { break };
        path = next.strip_prefix("http://127.0.0.1").unwrap().to_owned();
    }
    assert_eq!(seen, [5, 4, 3, 2, 1]);
    let second = ask(&sandbox, "GET", "/v3/sessions/?limit=2&offset=2", "").json();
    assert_eq!(second["previous"], "http://127.0.0.1/v3/sessions/?limit=2");

    let published: Value = serde_json::from_str(fixtures::verification::SESSIONS_PAGE).unwrap();
    let row = &second["results"][0];
    assert_eq!(keys(row), keys(&published["results"][0]));
    assert_eq!(
        (&row["full_name"], &row["features"][0]["status"]),
        (&Value::Null, &json!("Not Finished"))
    );
}

#[test]
fn filters_select_sessions() {
    let sandbox = Sandbox::start().unwrap();
    let approved = id_of(&create(&sandbox, &json!({"vendor_data": "a"})));
    create(
        &sandbox,
        &json!({"vendor_data": "b", "contact_details": {"email": "user@example.com"}}),
    );
    sandbox.verification().set_status(&approved, "Approved");
    let found = |query: &str| {
        let page = ask(&sandbox, "GET", &format!("/v3/sessions/?{query}"), "").json();
        let rows = page["results"].as_array().unwrap().iter();
        rows.map(|row| row["vendor_data"].as_str().unwrap().to_owned()).collect::<String>()
    };
    for (query, expected) in [
        ("", "ba"),
        ("status=Approved", "a"),
        ("status=Approved,Not%20Started", "ba"),
        ("status=approved", ""),
        ("vendor_data=b", "b"),
        ("country=ESP", "a"),
        ("session_kind=business", ""),
        ("session_kind=all&session_type=API", "ba"),
        ("session_type=HOSTED", ""),
        ("date_from=2020-01-01&date_to=2999-01-01", "ba"),
        ("date_to=2020-01-01", ""),
        (&format!("workflow_id={WORKFLOW}"), "ba"),
        ("limit=nonsense&offset=-1&unknown=1", "ba"),
    ] {
        assert_eq!(found(query), expected, "{query}");
    }
    let page = ask(&sandbox, "GET", "/v3/sessions/?vendor_data=a", "").json();
    assert_eq!(page["results"][0]["full_name"], "Ana Pérez Ñuñez");
    assert_eq!(ask(&sandbox, "GET", "/v3/sessions/?date_from=x", "").status, 400);
}
