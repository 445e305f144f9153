//! Tables of the page: real ones, with a caption, in a region of their own that scrolls on a narrow screen and can be
//! reached by keyboard.

use maud::{Markup, html};

use crate::shown::{counted, grouped};

/// Puts a table into a region that scrolls. `name` says what is in it.
pub(super) fn scroll(name: &str, table: &Markup) -> Markup {
    html! { div.scroll role="region" aria-label=(name) tabindex="0" { (table) } }
}

/// Makes a table of rows, of which `n_all` would be there without a bound. A head that begins with `#` is of numbers.
pub(super) fn table(name: &str, heads: &[&str], rows: &[Markup], n_all: usize) -> Markup {
    if rows.is_empty() {
        return html! {};
    }
    let table = html! { table {
        caption { (name) @if n_all > rows.len() {
            ": " (grouped(rows.len() as u64)) " of " (grouped(n_all as u64)) " are shown"
        } }
        thead { tr { @for head in heads {
            @match head.strip_prefix('#') {
                Some(head) => { th.n scope="col" { (head) } }
                None => { th scope="col" { (head) } }
            }
        } } }
        tbody { @for row in rows { tr { (row) } } }
    } };
    scroll(name, &table)
}

/// Says that there is nothing of a kind.
pub(super) fn none(text: &str) -> Markup {
    html! { p { (text) } }
}

/// A number in a cell, digits in groups.
pub(super) fn number(value: impl Into<u64>) -> Markup {
    html! { td.n { (grouped(value.into())) } }
}

/// An offset in a cell.
pub(super) fn offset(at: u32) -> Markup {
    html! { td.n { (format_args!("{at:#x}")) } }
}

/// Yes or no, as shape and word.
pub(super) fn yes_no(yes: bool, words: [&str; 2]) -> Markup {
    html! { span.mark { @if yes { "● " (words[0]) } @else { "○ " (words[1]) } } }
}

/// `3 places`, `1 place`.
pub(super) fn of(count: usize, noun: &str) -> String {
    counted(count as u64, noun)
}
