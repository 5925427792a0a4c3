//! What a visitor sees.

use didit_async_adapter::core::data_transfer::{Decision, Status, UserData};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use qrcode::render::svg::Color;
use qrcode::{EcLevel, QrCode};

use crate::visits::Visit;

pub(crate) fn of(visit: Option<&Visit>) -> Markup {
    match visit {
        None => start("Tell us who you are", "With Didit you decide what you share."),
        Some(Visit::Waiting(url)) => waiting(url.expose()),
        Some(Visit::Decided(decision)) => decided(decision),
        Some(Visit::Failed) => start("Something went wrong", "We heard nothing from Didit."),
    }
}

pub(crate) fn unavailable() -> Markup {
    start("Something went wrong", "Didit cannot be reached at the moment.")
}

fn start(title: &str, words: &str) -> Markup {
    let content = html! {
        p { (words) }
        form method="post" { button { "Share my data" } }
    };
    page(title, false, &content)
}

fn waiting(url: &str) -> Markup {
    let content = html! {
        p { "Scan this code with your phone, or " a href=(url) { "open Didit here" } "." }
        @if let Some(code) = qr_code(url) { div.code role="img" aria-label="QR code" { (code) } }
        p.quiet { "This page goes on by itself when you have decided." }
    };
    page("Share your data", true, &content)
}

fn decided(decision: &Decision) -> Markup {
    match (decision.status(), decision.user_data()) {
        (Status::Confirmed, Some(user)) => greeting(decision, user),
        (Status::Declined | Status::Cancelled, _) => {
            start("You shared nothing", "That is fine. You can change your mind.")
        }
        _ => start("That took too long", "The request has expired. You can start again."),
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
    // The picture is made of squares alone: no text of the address is in it.
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
