//! What is in the module besides code: imports, text and data, where it comes from; and the report as JSON.

use maud::{Markup, html};
use wasmos_analysis::data::{DataFacts, Secret, Text};
use wasmos_analysis::provenance::Oddity;
use wasmos_analysis::{Facts, Report};

use crate::html::table::{none, number, of, offset, table, yes_no};
use crate::html::{Page, guest, guest_bytes};
use crate::shown;

/// Rows of the longer lists, and of the others.
const IMPORTS: usize = 500;
const TEXTS: usize = 300;
const ROWS: usize = 100;
/// A longer JSON is left out of the page.
const JSON_BYTES: usize = 1 << 20;

pub(super) fn imports(report: &Report) -> Markup {
    let rows: Vec<_> = report
        .imports
        .iter()
        .take(IMPORTS)
        .map(|it| html! {
            th scope="row" { (guest(&it.module)) " " (guest(&it.name)) }
            td { (it.kind.noun()) }
            td.wide { (guest(&it.ty)) }
            td { (it.class.name()) @if let Some(platform) = it.platform { ", of " (platform) } }
            td { @match it.capability { Some(capability) => (capability.name()), None => "no run links it" } }
            td { (yes_no(true, ["declared", ""])) }
            td { (yes_no(it.reachable, ["reachable", "not reachable"])) }
        })
        .collect();
    let heads = ["Import", "Kind", "Type", "What it allows", "Capability", "Declared", "Reachable"];
    let n_reachable = report.imports.iter().filter(|it| it.reachable).count();
    html! { section aria-labelledby="imports" {
        h2 id="imports" { "Import audit" }
        @if report.imports.is_empty() { (none("It imports nothing.")) } @else {
            p { (of(report.imports.len(), "import")) " declared, " (n_reachable) " reachable: an import that no code calls cannot be used." }
        }
        (table("Imports", &heads, &rows, report.imports.len()))
    } }
}

pub(super) fn strings(facts: &Facts<'_>) -> Markup {
    let data = &facts.data;
    html! { section aria-labelledby="strings" {
        h2 id="strings" { "Strings and data" }
        @if data.len_bytes == 0 { (none("The module has no data.")) } @else {
            p { (shown::counted(data.len_bytes, "byte")) " of data, " (shown::counted(data.n_texts, "text")) " of six characters and more." }
        }
        (found(data))
        (stack_strings(facts))
        (segments(data))
        (texts(data))
    } }
}

fn found(data: &DataFacts) -> Markup {
    let addresses = data.indicators.iter().map(|it| {
        html! { th scope="row" { (it.kind.noun()) } (offset(it.text.at)) td.wide { (guest(&it.text.text)) } }
    });
    let secrets = data.secrets.iter().map(|it| {
        html! { th scope="row" { "secret: " (it.what) } (offset(it.at)) td.wide { (guest(&it.masked)) ", masked" } }
    });
    let files = data.files.iter().map(|it| {
        html! { th scope="row" { "embedded file" } (offset(it.at)) td.wide { (it.format) @if it.is_code { ", which holds code" } } }
    });
    let mining = data.mining.iter().map(|it| {
        html! { th scope="row" { "word of miners" } (offset(it.at)) td.wide { (guest(&it.text)) } }
    });
    let n_all = data.indicators.len() + data.secrets.len() + data.files.len() + data.mining.len();
    let rows: Vec<_> = secrets.chain(files).chain(mining).chain(addresses).take(TEXTS).collect();
    table("What stands out in the data", &["What", "#Offset", "Text"], &rows, n_all)
}

fn stack_strings(facts: &Facts<'_>) -> Markup {
    let all = facts.reachable().flat_map(|(func, it)| it.stack_strings.iter().map(move |text| (func, text)));
    let all: Vec<_> = all.collect();
    let rows: Vec<_> = all
        .iter()
        .take(ROWS)
        .map(|(func, it)| html! { th scope="row" { (func) } (offset(it.at)) td.wide { (guest_bytes(&it.bytes)) } })
        .collect();
    table("Text that code puts together", &["Function", "#Offset", "Text"], &rows, all.len())
}

fn segments(data: &DataFacts) -> Markup {
    let rows: Vec<_> = data
        .segments
        .iter()
        .take(ROWS)
        .map(|it| {
            html! {
                th scope="row" { (it.index) } (offset(it.at)) (number(it.len_bytes))
                td.n { (format_args!("{:.2}", it.entropy)) }
                td { (yes_no(it.has_known_format, ["yes", "no"])) }
            }
        })
        .collect();
    let heads = ["Segment", "#Offset", "#Bytes", "#Entropy, bits a byte", "A known format begins in it"];
    table("Segments of 1,024 bytes and more", &heads, &rows, data.segments.len())
}

fn texts(data: &DataFacts) -> Markup {
    let rows: Vec<_> = data
        .texts
        .iter()
        .take(TEXTS)
        .map(|it| html! { (offset(it.at)) td.wide { (guest(&masked(it, &data.secrets))) } })
        .collect();
    html! { @if !rows.is_empty() { details {
        summary { "Texts" }
        (table("Texts in the data", &["#Offset", "Text"], &rows, usize::try_from(data.n_texts).unwrap_or(usize::MAX)))
    } } }
}

/// A text as it is shown: from the first secret in it on, only what is left of the secret.
fn masked(text: &Text, secrets: &[Secret]) -> String {
    let kept =
        |secret: &Secret| secret.at.checked_sub(text.at).filter(|len| (*len as usize) < text.text.len());
    let first = secrets.iter().filter_map(|secret| Some((kept(secret)?, secret))).min_by_key(|(len, _)| *len);
    let first = first.and_then(|(len, secret)| {
        Some(format!("{}{}, masked", text.text.get(..len as usize)?, secret.masked))
    });
    first.unwrap_or_else(|| text.text.clone())
}

pub(super) fn provenance(page: &Page<'_>) -> Markup {
    let (module, it) = (page.facts.module, &page.report.provenance);
    let known = |text: &'static str| if text.is_empty() { "not known" } else { text };
    html! { section aria-labelledby="provenance" {
        h2 id="provenance" { "Provenance" }
        dl.facts {
            div { dt { "Language" } dd { (known(it.language)) } }
            div { dt { "Allocator" } dd { (known(it.allocator)) } }
            div { dt { "Names of functions" } dd { (yes_no(it.has_names, ["are there", "are not there"])) } }
            div { dt { "Debug information" } dd { (yes_no(it.has_dwarf, ["DWARF is there", "none"])) } }
            @if let Some((_, url)) = &it.source_map { div { dt { "Source map" } dd { (guest(url)) } } }
        }
        (claims(page))
        (oddities("Names that lie", &it.lies))
        (oddities("What is odd in its sections", &it.broken))
        @let rows: Vec<_> = module.customs.iter().take(ROWS).map(|section| html! {
            th scope="row" { (guest(module.text(section.name))) } (offset(section.offset))
        }).collect();
        (table("Custom sections", &["Name", "#Offset"], &rows, module.customs.len()))
    } }
}

fn claims(page: &Page<'_>) -> Markup {
    let claims = &page.report.provenance.claims;
    let rows: Vec<_> = claims
        .iter()
        .map(|it| html! { th scope="row" { (guest(&it.field)) } td.wide { (guest(&it.value)) } })
        .collect();
    table("What it says of its producers", &["Field", "Value"], &rows, claims.len())
}

fn oddities(name: &str, oddities: &[Oddity]) -> Markup {
    let rows: Vec<_> = oddities
        .iter()
        .take(ROWS)
        .map(|it| {
            html! {
                th scope="row" { (it.what) } (offset(it.at))
                td.wide { @if let Some(text) = &it.text { (guest(text)) } }
            }
        })
        .collect();
    table(name, &["What", "#Offset", "Text"], &rows, oddities.len())
}

pub(super) fn json(page: &Page<'_>) -> Markup {
    let mut bytes = Vec::new();
    let written = shown::json(&mut bytes, &crate::json::report(page.facts.module, page.report, None));
    let text = written.ok().and_then(|()| String::from_utf8(bytes).ok());
    html! { section aria-labelledby="json" {
        h2 id="json" { "The report as JSON" }
        @match text.filter(|text| text.len() <= JSON_BYTES) {
            Some(text) => { details {
                summary { "What " code { "wasmos analyze --json" } " prints, " (shown::counted(text.len() as u64, "byte")) }
                div.tools data-script hidden {
                    button type="button" data-copy="json-text" { "Copy the JSON" }
                    span role="status" {}
                }
                pre id="json-text" tabindex="0" { (text) }
            } }
            None => { p { "It is longer than " (shown::grouped(JSON_BYTES as u64)) " bytes and left out: " code { "wasmos analyze --json" } " prints it." } }
        }
    } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_with_a_secret_is_cut_at_the_secret() {
        let text = |at| Text { at, text: "key=AKIAIOSFODNN7EXAMPLE and more".into() };
        let secret = Secret { what: "key", at: 104, masked: "AKIA".into() };
        assert_eq!(masked(&text(100), std::slice::from_ref(&secret)), "key=AKIA, masked");
        assert_eq!(masked(&text(200), std::slice::from_ref(&secret)), text(200).text);
        assert_eq!(masked(&text(10), &[secret]), text(10).text);
    }
}
