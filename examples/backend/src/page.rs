//! The pages that a visitor sees.

use didit_async_adapter::core::data_transfer::{Decision, Status, UserData};
use didit_async_adapter::core::{Secret, verification};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use qrcode::render::svg::Color;
use qrcode::{EcLevel, QrCode};

use crate::verifications::Verification;
use crate::visits::Visit;

pub(crate) fn welcome(verifies: bool) -> Markup {
    let content = html! {
        p { "With Didit you decide what you share." }
        (SHARE.form())
        @if verifies {
            p { "Or have your identity document checked." }
            (VERIFY.form())
        }
    };
    page("Tell us who you are", false, &content)
}

/// Renders the page of a visit, with what webhooks have reported about its session.
pub(crate) fn visit(visit: &Visit, verification: Option<&Verification>) -> Markup {
    match visit {
        Visit::Waiting(url) => waiting("Share your data", url.expose()),
        Visit::Decided(decision) => decided(decision),
        Visit::Failed => retry("Something went wrong", "We heard nothing from Didit.", &SHARE),
        Visit::Verifying { url, .. } => verifying(url, verification),
    }
}

fn verifying(url: &Secret, known: Option<&Verification>) -> Markup {
    use verification::Status;
    match known.and_then(|known| known.status.as_ref()) {
        Some(Status::Approved) => {
            let name = known.and_then(|known| {
                let reports = known.decision.as_ref()?.reports();
                reports.id_verifications.iter().find_map(|report| report.full_name.as_deref())
            });
            let title = format!("Hello, {}!", name.unwrap_or("stranger"));
            page(&title, false, &html! { p { "You are verified." } })
        }
        Some(Status::Declined) => retry("We could not verify you", "A check has failed.", &VERIFY),
        Some(Status::InReview) => {
            let content = html! { p { "Somebody looks at your documents. Come back later." } };
            page("Almost done", true, &content)
        }
        Some(Status::Expired | Status::KycExpired | Status::Abandoned) => {
            retry("That took too long", TOO_LATE, &VERIFY)
        }
        _ => waiting("Verify your identity", url.expose()),
    }
}

pub(crate) fn unavailable() -> Markup {
    retry("Something went wrong", "Didit cannot be reached at the moment.", &SHARE)
}

/// A button that starts a visit.
struct StartButton {
    action: &'static str,
    text: &'static str,
}

const SHARE: StartButton = StartButton { action: "/", text: "Share my data" };
const VERIFY: StartButton = StartButton { action: "/verification", text: "Verify my identity" };
const TOO_LATE: &str = "The request has expired. You can start again.";

impl StartButton {
    fn form(&self) -> Markup {
        html! { form method="post" action=(self.action) { button { (self.text) } } }
    }
}

fn retry(title: &str, text: &str, button: &StartButton) -> Markup {
    let content = html! {
        p { (text) }
        (button.form())
    };
    page(title, false, &content)
}

fn waiting(title: &str, url: &str) -> Markup {
    let content = html! {
        p { "Scan this code with your phone, or " a href=(url) { "open Didit here" } "." }
        @if let Some(code) = qr_code(url) { div.code role="img" aria-label="QR code" { (code) } }
        p.quiet { "This page goes on by itself when you have decided." }
    };
    page(title, true, &content)
}

fn decided(decision: &Decision) -> Markup {
    match (decision.status(), decision.user_data()) {
        (Status::Confirmed, Some(user)) => greeting(decision, user),
        (Status::Declined | Status::Cancelled, _) => {
            retry("You shared nothing", "That is fine. You can change your mind.", &SHARE)
        }
        _ => retry("That took too long", TOO_LATE, &SHARE),
    }
}

fn greeting(decision: &Decision, user: &UserData) -> Markup {
    let name =
        user.names.as_ref().and_then(|names| names.full_name.as_deref()).unwrap_or("stranger");
    let email = user.email.as_ref().and_then(|email| email.email.as_deref());
    let missing: Vec<_> = decision.missing_scopes().map(|scope| scope.to_string()).collect();
    let content = html! {
        dl {
            @if let Some(email) = email { dt { "Your email address" } dd { (email) } }
            @if let Some(over_18) = user.is_over_18 {
                dt { "Over 18" }
                dd { @if over_18 { "yes" } @else { "no" } }
            }
        }
        @if !missing.is_empty() { p.quiet { "You did not share: " (missing.join(", ")) } }
    };
    page(&format!("Hello, {name}!"), false, &content)
}

fn qr_code(url: &str) -> Option<Markup> {
    let code = QrCode::with_error_correction_level(url, EcLevel::L).ok()?;
    // The SVG consists of squares only, so no text has to be escaped.
    Some(PreEscaped(code.render::<Color<'_>>().min_dimensions(240, 240).build()))
}

fn page(title: &str, refreshes: bool, content: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                @if refreshes { meta http-equiv="refresh" content="2"; }
                link rel="stylesheet" href="/style.css";
                title { (title) }
            }
            body { main { h1 { (title) } (content) } }
        }
    }
}
