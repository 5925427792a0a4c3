//! What is measured: an operation of the core, and the one of a careful hand that it is held against.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::hint::black_box;
use std::time::Duration;

use didit_core::data_transfer::{Decision, RetrieveDecision};
use didit_core::{
    Authorization, BaseUrl, Call, ClientCredentials, Endpoint as _, Engine, Moment, Operation as _,
    Policy, SessionId, Step,
};
use didit_sandbox::fixtures;
use http::header::{AUTHORIZATION, HeaderValue};
use http::{Request, Response};

const BASE: &str = "http://127.0.0.1:8080";
const ID: &str = "11111111-2222-4333-8444-555555555555";

/// Something to do again and again.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    /// How many bytes are parsed, where that is of interest.
    #[allow(dead_code)]
    pub(crate) bytes: usize,
    pub(crate) run: Box<dyn FnMut()>,
}

fn case<T>(name: &'static str, mut operation: impl FnMut() -> T + 'static) -> Case {
    let run = Box::new(move || {
        black_box(operation());
    });
    Case { name, bytes: 0, run }
}

fn of_bytes(name: &'static str, body: &'static [u8]) -> Case {
    let parse = case(name, move || Decision::from_json(black_box(body)).unwrap());
    Case { bytes: body.len(), ..parse }
}

fn id() -> SessionId {
    ID.parse().unwrap()
}

/// The documented decision, with the id that is asked for.
fn body() -> &'static [u8] {
    let value: serde_json::Value = serde_json::from_str(fixtures::DECISION).unwrap();
    let known = value["session_id"].as_str().unwrap();
    Box::leak(fixtures::DECISION.replace(known, ID).into_bytes().into_boxed_slice())
}

/// A decision with as many bytes of user data, in documents of about 1 kB.
fn large(bytes: usize) -> &'static [u8] {
    let document = |n: usize| {
        let number = format!("\"number\":\"{n:08}\",\"checked\":true,\"score\":0.{n}");
        let lines: Vec<String> = (0..12)
            .map(|line| {
                format!("\"line_{line}\":\"{:x<48}\"", format!("street {n} number {line} "))
            })
            .collect();
        format!("{{{number},{}}}", lines.join(","))
    };
    let mut documents = Vec::new();
    let mut length = 0;
    while length < bytes {
        let next = document(documents.len());
        length += next.len() + 1;
        documents.push(next);
    }
    let text = format!(
        r#"{{"session_id":"{ID}","status":"Confirmed","user_data":{{"sub":"u","document_detail":[{}]}}}}"#,
        documents.join(",")
    );
    Box::leak(text.into_bytes().into_boxed_slice())
}

/// An engine that has its token, and whose rate limit counts a hundred calls if one is made every
/// millisecond.
fn engine() -> Engine {
    let credentials = ClientCredentials::new("c", "s").unwrap();
    let mut policy = Policy::default();
    policy.rate_limit_window = Duration::from_millis(100);
    let mut engine = Engine::with_policy(BASE.parse().unwrap(), credentials, policy);
    let mut call = Call::new(RetrieveDecision::new(id()));
    let Step::Send { ticket, .. } = call.poll(&mut engine, START) else {
        panic!("no token wanted")
    };
    let answer = Response::new(fixtures::TOKEN.as_bytes());
    call.handle_response(&mut engine, START, ticket, answer);
    assert!(matches!(call.poll(&mut engine, START), Step::Send { .. }));
    call.cancel(&mut engine, START);
    engine
}

const START: Moment = Moment::new(Duration::from_secs(1));

fn headers() -> http::HeaderMap {
    let mut headers = http::HeaderMap::new();
    let pairs = [
        ("content-type", "application/json"),
        ("x-ratelimit-limit", "1000000"),
        ("x-ratelimit-remaining", "999999"),
        ("date", "Sun, 06 Nov 1994 08:49:37 GMT"),
        ("content-length", "747"),
    ];
    for (name, value) in pairs {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers
}

/// All of them. What the engine adds to a call is `call` without `build`, `parse an answer` and
/// `what a call is given`.
pub(crate) fn all() -> Vec<Case> {
    let (sample, small, big) = (body(), large(1000), large(1_000_000));
    let endpoint = RetrieveDecision::new(id());
    let base: BaseUrl = BASE.parse().unwrap();
    let authorization = Authorization::bearer("tok").unwrap();
    let ready = HeaderValue::from_static("Bearer tok");
    let [request_endpoint, answer_endpoint, given] = [(); 3].map(|()| endpoint.clone());
    let (mut engine, mut now) = (engine(), START);
    let (answered, cloned) = (headers(), headers());
    vec![
        case("parse", move || Decision::from_json(black_box(sample)).unwrap()),
        case("parse by hand", move || {
            serde_json::from_slice::<by_hand::Decision>(black_box(sample)).unwrap()
        }),
        case("build", move || request_endpoint.request(black_box(&base), &authorization).unwrap()),
        case("build by hand", move || {
            let url = format!("{}/auth/v2/session/{}/decision/", black_box(BASE), black_box(ID));
            let request = Request::builder().uri(url).header(AUTHORIZATION, ready.clone());
            request.body(()).unwrap()
        }),
        case("call", move || {
            now = now.after(Duration::from_millis(1));
            let mut call = Call::new(endpoint.clone());
            let Step::Send { request, ticket, .. } = call.poll(&mut engine, now) else { panic!() };
            black_box(request);
            let mut response = Response::new(sample);
            *response.headers_mut() = answered.clone();
            call.handle_response(&mut engine, now, ticket, response);
            call.poll(&mut engine, now)
        }),
        case("parse an answer", move || {
            answer_endpoint.parse(Response::new(black_box(sample))).unwrap()
        }),
        case("what a call is given", move || (given.clone(), cloned.clone())),
        of_bytes("parse 1 kB", small),
        of_bytes("parse 1 MB", big),
    ]
}

/// What a careful hand writes: every documented member, owned.
mod by_hand {
    use serde::Deserialize;

    #[derive(Deserialize)]
    #[allow(dead_code)]
    pub(super) struct Decision {
        session_id: String,
        session_number: u64,
        status: String,
        vendor_data: Option<String>,
        scope: String,
        user_data: UserData,
        created_at: String,
    }

    #[derive(Deserialize)]
    #[allow(dead_code)]
    struct UserData {
        sub: String,
        email: Email,
        phone: Phone,
        picture: String,
        names: Names,
    }

    #[derive(Deserialize)]
    #[allow(dead_code, clippy::struct_field_names)]
    struct Email {
        email: String,
        is_verified: bool,
        is_primary: bool,
    }

    #[derive(Deserialize)]
    #[allow(dead_code, clippy::struct_field_names)]
    struct Phone {
        phone_number: String,
        is_verified: bool,
        is_primary: bool,
    }

    #[derive(Deserialize)]
    #[allow(dead_code)]
    struct Names {
        first_name: String,
        family_name: String,
        full_name: String,
        is_verified: bool,
    }
}
