//! Findings as CSV, a row each, for spreadsheets.
//!
//! A spreadsheet takes a cell that begins with `=`, `+`, `-` or `@` for a formula, and runs it. Text of the guest gets an
//! apostrophe in front of each such sign, at its beginning and behind whatever some locale takes for the end of a cell.
//! Every field is quoted. Source: OWASP, CSV injection; RFC 4180.

use std::io::{self, Write};

use csv::{QuoteStyle, Writer, WriterBuilder};
use wasmos_analysis::Report;
use wasmos_analysis::baseline::Compared;
use wasmos_analysis::finding::Finding;
use wasmos_analysis::report::rule;
use wasmos_frontend::ValidModule;

use crate::shown::Escaped;

/// The first row.
pub const COLUMNS: [&str; 15] = [
    "file",
    "module_grade",
    "module_score",
    "rule",
    "title",
    "category",
    "grade",
    "confidence",
    "points",
    "function",
    "function_name",
    "offset",
    "message",
    "evidence",
    "baseline",
];

/// Writes the first row.
///
/// # Errors
/// What the writer fails with.
pub fn head(out: &mut dyn Write) -> io::Result<()> {
    let mut rows = rows(out);
    rows.write_record(COLUMNS)?;
    rows.flush()
}

/// Writes a row for each finding of a module; one of the module alone if there are none.
///
/// # Errors
/// What the writer fails with.
pub fn findings(
    out: &mut dyn Write,
    name: &str,
    module: &ValidModule,
    report: &Report,
    baseline: Option<&Compared>,
) -> io::Result<()> {
    let mut rows = rows(out);
    let of_module = [cell(name), report.verdict.name().to_owned(), report.score.total.to_string()];
    for (at, it) in report.findings.iter().enumerate() {
        let state = baseline.and_then(|it| it.states.get(at)).map_or("", |state| state.name());
        let fields = fields(module, it).into_iter().chain([state.to_owned()]);
        rows.write_record(of_module.iter().cloned().chain(fields))?;
    }
    if report.findings.is_empty() {
        let empty = vec![String::new(); COLUMNS.len() - of_module.len()];
        rows.write_record(of_module.iter().cloned().chain(empty))?;
    }
    rows.flush()
}

fn rows(out: &mut dyn Write) -> Writer<&mut dyn Write> {
    WriterBuilder::new().quote_style(QuoteStyle::Always).from_writer(out)
}

fn fields(module: &ValidModule, it: &Finding) -> [String; 11] {
    let rule = rule(it.rule);
    let func = it.place.func;
    [
        it.rule.to_owned(),
        rule.map_or_else(String::new, |rule| rule.title.to_owned()),
        rule.map_or_else(String::new, |rule| rule.category.name().to_owned()),
        it.grade.name().to_owned(),
        it.confidence.name().to_owned(),
        it.points.to_string(),
        func.map_or_else(String::new, |func| func.to_string()),
        func.and_then(|func| module.func_name(func)).map_or_else(String::new, cell),
        it.place.offset.to_string(),
        cell(&it.message),
        cell(&it.evidence.join("; ")),
    ]
}

/// Returns guest text as a spreadsheet shows it: as text.
fn cell(text: &str) -> String {
    let mut cell = String::with_capacity(text.len());
    let mut begins = true;
    for c in Escaped::new(text).to_string().chars() {
        if begins && is_formula(c) {
            cell.push('\'');
        }
        // A blank in front of a formula is no protection.
        begins = matches!(c, ',' | ';' | '"' | '|') || begins && c == ' ';
        cell.push(c);
    }
    cell
}

/// What begins a formula, in full width too: East Asian editions take these for the same.
const fn is_formula(c: char) -> bool {
    matches!(c, '=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠')
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;
    use wasmos_analysis::{Policy, analyze};

    #[test]
    fn no_cell_is_a_formula() {
        for (text, shown) in [
            ("plain", "plain"),
            ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
            ("  +1", "  '+1"),
            ("a;=1+1", "a;'=1+1"),
            ("a\",@SUM(1)", "a\",'@SUM(1)"),
            ("\t=1", "\\t=1"),
            ("＝1", "'＝1"),
            ("a-b", "a-b"),
        ] {
            assert_eq!(cell(text), shown);
        }
    }

    #[test]
    fn a_row_for_each_finding_and_one_for_a_module_without() {
        let mut out = Vec::new();
        head(&mut out).unwrap();
        for text in
            ["(module (func $=1+1 (export \"f\") (loop $l (br $l))))", "(module (func (export \"f\")))"]
        {
            let bytes = wat::parse_str(text).unwrap();
            let module = wasmos_frontend::decode(bytes).and_then(wasmos_frontend::validate).unwrap();
            findings(&mut out, "-a \"b\".wasm", &module, &analyze(&module, &Policy::default()), None)
                .unwrap();
        }
        expect![[r#"
            "file","module_grade","module_score","rule","title","category","grade","confidence","points","function","function_name","offset","message","evidence","baseline"
            "'-a ""b"".wasm","warning","8","L001","loop without exit","resources","warning","high","8","0","'=1+1","32","every call of this entry ends up in a loop that nothing leaves","",""
            "'-a ""b"".wasm","warning","8","X004","debug information","data","info","high","0","","","0","names of functions are there","",""
            "'-a ""b"".wasm","ok","0","","","","","","","","","","","",""
        "#]].assert_eq(std::str::from_utf8(&out).unwrap());
    }
}
