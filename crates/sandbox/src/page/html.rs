//! HTML with escaping of all text, and the security headers of the pages.

use crate::answer::Answer;

/// A page under construction. Only literals are markup; everything else is escaped.
pub(super) struct Html(String);

impl Html {
    /// Begins a page with this title.
    pub(super) fn new(title: &str) -> Self {
        let mut page = Self(String::with_capacity(16 * 1024));
        page.raw(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n\
             <link rel=\"stylesheet\" href=\"/sandbox.css\">\n<title>",
        );
        page.text(title).raw(" – Didit sandbox</title>\n</head>\n<body>\n");
        page
    }

    /// Appends markup, which must be a literal and thus never contains outside data.
    pub(super) fn raw(&mut self, markup: &'static str) -> &mut Self {
        self.0.push_str(markup);
        self
    }

    /// Appends escaped text, in an element or in a quoted attribute.
    pub(super) fn text(&mut self, text: &str) -> &mut Self {
        for c in text.chars() {
            match c {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&#39;"),
                c => self.0.push(c),
            }
        }
        self
    }

    /// Ends the page and returns it as a response.
    pub(super) fn answer(mut self, status: u16) -> Answer {
        self.raw("</body>\n</html>\n");
        let answer = Answer::new(status, self.0.into_bytes());
        guarded(answer).with("Content-Type", "text/html; charset=utf-8")
    }
}

/// Begins a form that is sent to its own page, with a token against cross-site request forgery.
pub(super) fn begin_form(page: &mut Html, form_token: &str) {
    page.raw(
        "<form method=\"post\" autocomplete=\"off\">\n\
         <input type=\"hidden\" name=\"form\" value=\"",
    );
    page.text(form_token).raw("\">\n");
}

/// Returns a page with a message and a link to the front page.
pub(super) fn notice(status: u16, title: &str, why: &str) -> Answer {
    message(status, title, why, "<p><a class=\"open\" href=\"/\">All sessions</a></p>\n")
}

/// Returns a page with a message and no link.
pub(super) fn dead_end(status: u16, title: &str, why: &str) -> Answer {
    message(status, title, why, "")
}

fn message(status: u16, title: &str, why: &str, more: &'static str) -> Answer {
    let mut page = Html::new(title);
    page.raw("<main class=\"notice\">\n<h1>").text(title).raw("</h1>\n<p>").text(why);
    page.raw("</p>\n").raw(more).raw("</main>\n");
    page.answer(status)
}

pub(super) fn style() -> Answer {
    let body = include_bytes!("sandbox.css").to_vec();
    guarded(Answer::new(200, body)).with("Content-Type", "text/css; charset=utf-8")
}

/// Returns an empty response, since the pages have no icon.
pub(super) fn no_icon() -> Answer {
    guarded(Answer::new(204, Vec::new()))
}

/// Adds headers that forbid scripts, frames and caching.
pub(super) fn guarded(answer: Answer) -> Answer {
    answer
        .with(
            "Content-Security-Policy",
            "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; \
             frame-ancestors 'none'",
        )
        .with("X-Content-Type-Options", "nosniff")
        .with("Cross-Origin-Opener-Policy", "same-origin")
        .with("Cross-Origin-Resource-Policy", "same-origin")
        // Hides the session's token from other sites, but keeps the Origin header of forms.
        .with("Referrer-Policy", "same-origin")
        .with("Cache-Control", "no-store")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_escaped() {
        let mut page = Html::new("<title>");
        page.raw("<p title=\"").text("\"' onx=").raw("\">").text("<script>&amp;").raw("</p>");
        let answer = page.answer(200);
        let text = String::from_utf8_lossy(&answer.body);
        assert!(text.contains("<title>&lt;title&gt; – "), "{text}");
        assert!(
            text.contains("<p title=\"&quot;&#39; onx=\">&lt;script&gt;&amp;amp;</p>"),
            "{text}"
        );
    }
}
