//! The report as one page: a file that asks for nothing, runs nothing of the guest's, and says all it has to say without
//! script.
//!
//! Place in the walk: [`Facts`] and a [`Report`] in, text out. Two bounds hold for every module: each list is cut at a number
//! of rows that stands beside it and says what it left out, and drawings share a number of boxes. Guest text goes through
//! [`crate::shown`] and the template, addresses are text and never links, and the policy in the head lets the browser run
//! this page's own script and style alone, by their hashes.

mod calls;
mod code;
mod contents;
mod findings;
mod happened;
mod summary;
mod table;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest as _, Sha256};
use wasmos_analysis::run_facts::RunFacts;
use wasmos_analysis::{Facts, Grade, Report, Verdict};

use crate::shown::{Escaped, EscapedBytes, fit};

/// The style and the script of the page. They hold nothing that ends their element: a test says so.
const STYLE: &str = include_str!("assets/report.css");
const SCRIPT: &str = include_str!("assets/report.js");

/// Columns of a name that are shown where names stand in tables.
const NAME_COLUMNS: usize = 96;

/// What a page is made of.
#[derive(Clone, Copy, Debug)]
pub struct Page<'a> {
    /// The file's name, escaped already.
    pub name: &'a str,
    /// The facts behind the report.
    pub facts: &'a Facts<'a>,
    /// The report.
    pub report: &'a Report,
    /// What a run did, if there was one.
    pub run: Option<&'a RunFacts>,
}

impl Page<'_> {
    /// Returns the page.
    #[must_use]
    pub fn render(&self) -> String {
        let drawn = code::drawn(self);
        let page = html! {
            (DOCTYPE)
            html lang="en" {
                (self.head())
                body {
                    a.skip href="#verdict" { "Skip to the verdict" }
                    header {
                        h1 { "wasmos report on " code { (self.name) } }
                    }
                    main {
                        (summary::verdict(self))
                        (contents_list(self.run.is_some()))
                        @if let Some(run) = self.run { (happened::section(self, run)) }
                        (summary::profile(self.report))
                        (findings::section(self, &drawn))
                        (contents::imports(self.report))
                        (code::section(self, &drawn))
                        (calls::section(self, &drawn))
                        (contents::strings(self.facts))
                        (contents::provenance(self))
                        (contents::json(self))
                    }
                    footer { p {
                        "Made by wasmos " (env!("CARGO_PKG_VERSION")) ". The same module, policy and version give the same page."
                    } }
                    script { (PreEscaped(SCRIPT)) }
                }
            }
        };
        page.into_string()
    }

    fn head(&self) -> Markup {
        let policy = format!(
            "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; img-src data:; base-uri 'none'; form-action 'none'",
            BASE64_STANDARD.encode(Sha256::digest(STYLE)),
            BASE64_STANDARD.encode(Sha256::digest(SCRIPT)),
        );
        html! { head {
            meta charset="utf-8";
            meta http-equiv="Content-Security-Policy" content=(policy);
            meta name="viewport" content="width=device-width, initial-scale=1";
            meta name="color-scheme" content="light dark";
            meta name="referrer" content="no-referrer";
            title { (self.report.verdict.name()) ": " (self.name) }
            // Without it a browser asks the server for one.
            link rel="icon" href="data:,";
            style { (PreEscaped(STYLE)) }
        } }
    }

    /// Returns what a function is called: its name if it has one, and its index.
    fn func_name(&self, func: wasmos_frontend::types::FuncIdx) -> Markup {
        let name = self.facts.module.func_name(func);
        html! { @match name {
            Some(name) => { (guest(name)) " (" (func.0) ")" }
            None => { "function " (func.0) }
        } }
    }
}

fn contents_list(ran: bool) -> Markup {
    let sections = [
        ("happened", "What happened"),
        ("profile", "Profile"),
        ("findings", "Findings"),
        ("imports", "Imports"),
        ("functions", "Functions"),
        ("calls", "Calls"),
        ("strings", "Strings and data"),
        ("provenance", "Provenance"),
        ("json", "JSON"),
    ];
    html! { nav aria-label="Sections" { ul {
        @for (id, name) in sections.iter().filter(|(id, _)| ran || *id != "happened") {
            li { a href=(format_args!("#{id}")) { (name) } }
        }
    } } }
}

/// Shows guest text, cut to what a table takes.
fn guest(text: &str) -> Markup {
    html! { code { (fit(&Escaped::new(text).to_string(), NAME_COLUMNS)) } }
}

/// Shows guest bytes as [`guest`] shows text.
fn guest_bytes(bytes: &[u8]) -> Markup {
    html! { code { (fit(&EscapedBytes(bytes).to_string(), NAME_COLUMNS)) } }
}

/// Shape and word of a grade: colour is never all that tells them apart.
fn badge(grade: Grade) -> Markup {
    match grade {
        Grade::Info => html! { span.badge.info { "○ Info" } },
        Grade::Warning => html! { span.badge.warning { "▲ Warning" } },
        Grade::Severe => html! { span.badge.severe { "■ Severe" } },
    }
}

/// Shape and word of a verdict.
fn verdict_badge(verdict: Verdict) -> Markup {
    match verdict {
        Verdict::Ok => html! { span.badge.ok { "● OK" } },
        Verdict::Unknown => html! { span.badge.unknown { "? Unknown" } },
        Verdict::Warning => html! { span.badge.warning { "▲ Warning" } },
        Verdict::Severe => html! { span.badge.severe { "■ Severe" } },
    }
}
