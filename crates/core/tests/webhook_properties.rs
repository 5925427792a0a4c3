//! Properties of webhook verification, and canonical JSON compared with another implementation.
#![cfg(feature = "webhook")]
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use didit_core::webhook::{Scheme, Webhook, canonical_json};
use http::{HeaderMap, HeaderValue};
use proptest::prelude::*;

const TIMESTAMP: u64 = 1_774_970_000;

fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(TIMESTAMP)
}

fn webhook() -> Webhook {
    Webhook::new(["secret"]).unwrap()
}

fn verifies(headers: &HeaderMap, body: &[u8]) -> bool {
    webhook().verify(headers, body, now()).is_ok()
}

#[derive(Clone, Debug)]
enum Model {
    Word(&'static str),
    Integer(String),
    Float(f64),
    Text(String),
    Array(Vec<Model>),
    Object(BTreeMap<String, Model>),
}

fn model() -> impl Strategy<Value = Model> {
    let leaf = prop_oneof![
        prop_oneof![Just("null"), Just("true"), Just("false")].prop_map(Model::Word),
        "-?[1-9][0-9]{0,44}|0".prop_map(Model::Integer),
        any::<f64>().prop_filter("finite", |f| f.is_finite()).prop_map(Model::Float),
        (-999_999..999_999_i32, -9..9_i32)
            .prop_map(|(m, e)| Model::Float(f64::from(m) * 10_f64.powi(e))),
        // Multiples of 1/4, many of which are equally close to two shortest texts.
        (any::<u32>(), 0..1_u32 << 20).prop_map(|(low, high)| Model::Float(
            f64::from(low) / 4.0 + f64::from(high) * 2_f64.powi(30)
        )),
        ".{0,8}".prop_map(Model::Text),
        "[\\x00-\\x1f\"\\\\/\\x7f\u{2028}é😀]{0,4}".prop_map(Model::Text),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Model::Array),
            object(inner).prop_map(Model::Object),
        ]
    })
}

fn object(value: impl Strategy<Value = Model>) -> impl Strategy<Value = BTreeMap<String, Model>> {
    prop::collection::btree_map("[a-cé\u{ffff}😀\"]{0,2}", value, 0..6)
}

/// Generates an event with arbitrary members and a timestamp.
fn event() -> impl Strategy<Value = Model> {
    object(model()).prop_map(|mut members| {
        members.insert("timestamp".to_owned(), Model::Integer(TIMESTAMP.to_string()));
        Model::Object(members)
    })
}

/// A second implementation: prints a tree, and finds the digits of each float by trial.
fn canonical(model: &Model) -> String {
    match model {
        Model::Word(word) => (*word).to_owned(),
        Model::Integer(digits) => digits.clone(),
        Model::Float(value) => float(*value),
        Model::Text(text) => quoted(text),
        Model::Array(values) => {
            let values: Vec<_> = values.iter().map(canonical).collect();
            format!("[{}]", values.join(","))
        }
        Model::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by_key(|(name, _)| name.chars().collect::<Vec<_>>());
            let members: Vec<_> = members
                .into_iter()
                .map(|(name, value)| format!("{}:{}", quoted(name), canonical(value)))
                .collect();
            format!("{{{}}}", members.join(","))
        }
    }
}

fn quoted(text: &str) -> String {
    let escaped = text.chars().map(|c| match c {
        '"' => "\\\"".to_owned(),
        '\\' => "\\\\".to_owned(),
        '\n' => "\\n".to_owned(),
        '\r' => "\\r".to_owned(),
        '\t' => "\\t".to_owned(),
        '\x08' => "\\b".to_owned(),
        '\x0c' => "\\f".to_owned(),
        c if u32::from(c) < 0x20 => format!("\\u{:04x}", u32::from(c)),
        c => c.to_string(),
    });
    format!("\"{}\"", escaped.collect::<String>())
}

fn float(value: f64) -> String {
    if value.trunc().to_bits() == value.to_bits() {
        return whole(value);
    }
    // The fewest digits that parse as the same value.
    let mut shortest = (0..17).map(|digits| format!("{value:.digits$e}"));
    let shortest = shortest.find(|text| text.parse() == Ok(value)).unwrap();
    let (digits, exponent) = shortest.split_once('e').unwrap();
    let exponent: i32 = exponent.parse().unwrap();
    if exponent < -4 {
        return format!("{digits}e-{:02}", -exponent);
    }
    let digits = digits.len() - if value < 0.0 { 2 } else { 1 };
    let decimals = i32::try_from(digits - 1).unwrap() - exponent;
    format!("{value:.0$}", usize::try_from(decimals).unwrap())
}

/// Formats an integral float by long multiplication.
fn whole(value: f64) -> String {
    let bits = value.abs().to_bits();
    let (mut mantissa, exponent) = (bits & ((1 << 52) - 1) | 1 << 52, (bits >> 52) as i32 - 1075);
    if value == 0.0 {
        return "0".to_owned();
    }
    let mut digits = Vec::new();
    if exponent < 0 {
        mantissa >>= -exponent;
    }
    while mantissa > 0 {
        digits.push(mantissa % 10);
        mantissa /= 10;
    }
    for _ in 0..exponent.max(0) {
        let mut carry = 0;
        for digit in &mut digits {
            let doubled = *digit * 2 + carry;
            (*digit, carry) = (doubled % 10, doubled / 10);
        }
        if carry > 0 {
            digits.push(carry);
        }
    }
    let digits: String = digits.iter().rev().map(|digit| digit.to_string()).collect();
    if value < 0.0 { format!("-{digits}") } else { digits }
}

/// Writes a value in one of its many notations, selected by `dice`.
struct Writer<'a> {
    dice: std::iter::Cycle<std::slice::Iter<'a, u8>>,
}

impl Writer<'_> {
    fn roll(&mut self, sides: u8) -> u8 {
        self.dice.next().unwrap() % sides
    }

    fn space(&mut self) -> &'static str {
        ["", "", " ", "\n\t"][usize::from(self.roll(4))]
    }

    fn write(&mut self, model: &Model) -> String {
        let text = match model {
            Model::Word(word) => (*word).to_owned(),
            Model::Integer(digits) => digits.clone(),
            Model::Float(value) => match self.roll(3) {
                0 => format!("{value:e}"),
                1 => format!("{value:?}").replace('e', "E+").replace("+-", "-"),
                _ => format!("{value:.17e}"),
            },
            Model::Text(text) => self.quote(text),
            Model::Array(values) => {
                let values: Vec<_> = values.iter().map(|value| self.write(value)).collect();
                format!("[{}{}]", self.space(), values.join(","))
            }
            Model::Object(members) => {
                let mut members: Vec<_> = members
                    .iter()
                    .map(|(name, value)| {
                        let (name, space) = (self.quote(name), self.space());
                        format!("{space}{name}{}:{}", self.space(), self.write(value))
                    })
                    .collect();
                let turn = usize::from(self.roll(7)) % members.len().max(1);
                members.rotate_left(turn);
                format!("{{{}{}}}", members.join(","), self.space())
            }
        };
        format!("{}{text}{}", self.space(), self.space())
    }

    fn quote(&mut self, text: &str) -> String {
        let mut quoted = String::from("\"");
        for c in text.chars() {
            let must = c < ' ' || c == '"' || c == '\\';
            if must || self.roll(3) == 0 {
                let units = c
                    .encode_utf16(&mut [0; 2])
                    .iter()
                    .map(|unit| format!("\\u{unit:04X}"))
                    .collect::<Vec<_>>();
                quoted.push_str(&units.concat());
            } else {
                quoted.push(c);
            }
        }
        quoted + "\""
    }
}

fn written(model: &Model, dice: &[u8]) -> String {
    Writer { dice: dice.iter().cycle() }.write(model)
}

fn dice() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 1..64)
}

proptest! {
    #[test]
    fn canonical_json_matches_another_implementation(model in event(), dice in dice()) {
        let canonical = canonical(&model);
        for text in [&written(&model, &dice), &canonical] {
            prop_assert_eq!(&canonical_json(text.as_bytes()), &Ok(canonical.clone()), "{}", text);
        }
    }

    #[test]
    fn rewritten_bodies_verify_by_their_canonical_form(
        model in event(), one in dice(), other in dice(),
    ) {
        let (sent, arrived) = (written(&model, &one), written(&model, &other));
        let headers = webhook().sign(sent.as_bytes()).unwrap();
        let event = webhook().verify(&headers, arrived.as_bytes(), now()).unwrap();
        let expected = if sent == arrived { Scheme::RawBody } else { Scheme::CanonicalJson };
        prop_assert_eq!(event.signature().scheme, expected);
    }

    #[test]
    fn flipped_bits_are_rejected(model in event(), dice in dice(), byte in any::<prop::sample::Index>(), bit in 0..8_u8) {
        let body = written(&model, &dice);
        let signed = webhook().sign(body.as_bytes()).unwrap();
        for header in ["x-signature", "x-signature-v2"] {
            let mut headers = HeaderMap::new();
            for name in [header, "x-timestamp"] {
                headers.insert(name, signed[name].clone());
            }
            prop_assert!(verifies(&headers, body.as_bytes()));

            let mut flipped = body.clone().into_bytes();
            flipped[byte.index(body.len())] ^= 1_u8 << bit;
            // The flipped bit may turn one white-space character into another.
            let same = header == "x-signature-v2"
                && canonical_json(&flipped).ok() == canonical_json(body.as_bytes()).ok();
            prop_assert_eq!(verifies(&headers, &flipped), same);

            for name in [header, "x-timestamp"] {
                let mut value = signed[name].as_bytes().to_vec();
                let at = byte.index(value.len());
                value[at] ^= 1_u8 << bit;
                // The hexadecimal digits of a signature may have either case.
                if value.eq_ignore_ascii_case(signed[name].as_bytes()) {
                    continue;
                }
                let Ok(value) = HeaderValue::from_bytes(&value) else { continue };
                let mut headers = headers.clone();
                headers.insert(name, value);
                prop_assert!(!verifies(&headers, body.as_bytes()));
            }
        }
    }

    #[test]
    fn arbitrary_bytes_are_rejected_without_panic(body in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(canonical_json(&body).is_err());
        prop_assert!(webhook().sign(&body).is_err());
    }
}
