use std::time::{Duration, SystemTime, UNIX_EPOCH};

use didit_sandbox::{Quota, Sandbox};

use crate::raw::{decision, send};

#[test]
fn request_over_quota_is_refused_with_documented_headers() {
    let quota = Quota { limit: 2, window: Duration::from_secs(60) };
    let sandbox = Sandbox::builder().quota(quota).start().unwrap();
    let unauthorized = decision("abc").replace("sandbox-api-key", "wrong");
    assert_eq!(send(&sandbox, &unauthorized).unwrap().header("X-RateLimit-Limit"), None);
    let mut resets = Vec::new();
    for (status, remaining) in [(200, "1"), (200, "0"), (429, "0"), (429, "0")] {
        let answer = send(&sandbox, &decision("abc")).unwrap();
        assert_eq!(answer.status, status);
        assert_eq!(answer.header("X-RateLimit-Limit"), Some("2"));
        assert_eq!(answer.header("X-RateLimit-Remaining"), Some(remaining));
        resets.push(answer.header("X-RateLimit-Reset").unwrap().parse::<u64>().unwrap());
        if status == 429 {
            let seconds: u64 = answer.header("Retry-After").unwrap().parse().unwrap();
            assert!((1..=60).contains(&seconds), "{seconds}");
            assert!(answer.text().contains("throttled"));
        }
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    assert!(resets.iter().all(|reset| (now..=now + 61).contains(reset)), "{resets:?}");
}
