//! What `wasmos inspect --json` says of a module, brought into the form of `facts.json`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

/// How many exports `facts.json` lists.
const EXPORTS_HEAD: usize = 25;

/// The features that `facts.json` tells from the bytes, by its names and ours, where both mean the same: its
/// `bulk_memory` leaves `memory.copy` and `memory.fill` out, and its `reference_types` has `exnref` in.
const FEATURES: [(&str, &str); 10] = [
    ("exceptions", "exceptions"),
    ("function_references", "function-references"),
    ("gc", "gc"),
    ("legacy_exceptions", "legacy-exceptions"),
    ("multi_value", "multi-value"),
    ("mutable_global", "mutable-global"),
    ("sat_float", "saturating-float-to-int"),
    ("sign_ext", "sign-extension"),
    ("simd", "simd"),
    ("threads", "threads"),
];

/// Returns the facts of a module, under the keys of `facts.json`. A key that the report lacks gives null, which is a
/// disagreement then.
pub(super) fn facts(report: &Value) -> Value {
    let code = &report["code"];
    json!({
        "size": report["size_bytes"],
        "sha256": report["sha256"],
        "sections": sections(report),
        "customs": customs(report),
        "types": n_groups(report),
        "n_imports": rows(report, "imports").len(),
        "imports": imports(report),
        "import_funcs": import_funcs(report),
        "funcs": code["functions"],
        "tables": tables(report),
        "memories": memories(report),
        "globals": n_defined(report, "globals"),
        "tags": n_defined(report, "tags"),
        "n_exports": rows(report, "exports").len(),
        "exports_head": exports_head(report),
        "has_start_export": has_export(report, "_start"),
        "has_initialize": has_export(report, "_initialize"),
        "start_section": !report["start"].is_null(),
        "elem_segs": rows(report, "elements").len(),
        "data_segs": rows(report, "data").len(),
        "data_bytes": rows(report, "data").iter().filter_map(|row| row["bytes"].as_u64()).sum::<u64>(),
        "biggest_body": biggest_body(code),
        "ops": code["instructions"],
        "max_depth": code["max_depth"],
        "producers": producers(report),
        "target_features": target_features(report),
        "needs": needs(report),
    })
}

/// Returns what `facts.json` tells of the features, in our terms.
pub(super) fn known_needs(needs: &Value) -> Value {
    let mut known: BTreeSet<&str> =
        needs.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    // `exnref` counts there as a reference type too; it came with exceptions.
    if known.contains("exceptions") {
        known.remove("reference_types");
    }
    FEATURES.iter().filter(|(theirs, _)| known.contains(theirs)).map(|(theirs, _)| *theirs).collect()
}

fn needs(report: &Value) -> Value {
    let ours: BTreeSet<&str> = rows(report, "features").iter().filter_map(Value::as_str).collect();
    FEATURES.iter().filter(|(_, name)| ours.contains(name)).map(|(theirs, _)| *theirs).collect()
}

fn rows<'a>(report: &'a Value, key: &str) -> &'a [Value] {
    report[key].as_array().map_or(&[], Vec::as_slice)
}

fn text<'a>(row: &'a Value, key: &str) -> &'a str {
    row[key].as_str().unwrap_or_default()
}

/// How many sections of a kind there are, and the bytes of their content; of code without its count.
fn sections(report: &Value) -> Value {
    let mut sections = BTreeMap::new();
    for section in rows(report, "sections").iter().filter(|section| section["name"] != "custom") {
        let name = text(section, "name").replace(' ', "");
        let mut len_bytes = section["content_bytes"].as_u64().unwrap_or_default();
        if name == "code" {
            len_bytes -= leb128_len_bytes(report["code"]["functions"].as_u64().unwrap_or_default());
        }
        let (count, total) = sections.entry(name).or_insert((0_u32, 0_u64));
        *count += 1;
        *total += len_bytes;
    }
    json!(sections)
}

/// The length of a number in LEB128 without padding.
const fn leb128_len_bytes(number: u64) -> u64 {
    let bits = u64::BITS - number.leading_zeros();
    if bits == 0 { 1 } else { bits.div_ceil(7) as u64 }
}

fn customs(report: &Value) -> Value {
    rows(report, "customs").iter().map(|row| json!([row["name"], row["content_bytes"]])).collect()
}

/// A recursive group counts once there.
fn n_groups(report: &Value) -> usize {
    rows(report, "types").iter().filter_map(|row| row["group"].as_u64()).collect::<BTreeSet<_>>().len()
}

fn imports(report: &Value) -> Value {
    let mut imports: BTreeMap<&str, BTreeMap<&str, u32>> = BTreeMap::new();
    for import in rows(report, "imports") {
        let kind = match text(import, "kind") {
            "function" => "func",
            kind => kind,
        };
        *imports.entry(text(import, "module")).or_default().entry(kind).or_default() += 1;
    }
    json!(imports)
}

fn import_funcs(report: &Value) -> Value {
    let mut funcs: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for import in rows(report, "imports").iter().filter(|import| import["kind"] == "function") {
        funcs.entry(text(import, "module")).or_default().insert(text(import, "name"));
    }
    json!(funcs)
}

fn tables(report: &Value) -> Value {
    let tables = rows(report, "tables").iter().map(|table| {
        let mut row = json!({ "min": table["min"], "max": table["max"], "t64": table["address"] == "i64" });
        // Only an imported table says where it comes from.
        if table["imported"] == true {
            row["import"] = json!(true);
        }
        row
    });
    tables.collect()
}

fn memories(report: &Value) -> Value {
    let memories = rows(report, "memories").iter().map(|memory| {
        json!({
            "import": memory["imported"],
            "m64": memory["address"] == "i64",
            "min": memory["min_pages"],
            "max": memory["max_pages"],
            "shared": memory["shared"],
            "page": Some(&memory["page_bytes"]).filter(|bytes| **bytes != 65_536),
        })
    });
    memories.collect()
}

fn n_defined(report: &Value, key: &str) -> usize {
    rows(report, key).iter().filter(|row| row["imported"] == false).count()
}

fn exports_head(report: &Value) -> Value {
    let exports = rows(report, "exports").iter().take(EXPORTS_HEAD).map(|export| {
        let kind = match text(export, "kind") {
            "function" => "Func",
            "table" => "Table",
            "memory" => "Memory",
            "global" => "Global",
            "tag" => "Tag",
            other => other,
        };
        format!("{}:{kind}", text(export, "name"))
    });
    exports.collect()
}

fn has_export(report: &Value, name: &str) -> bool {
    rows(report, "exports").iter().any(|export| text(export, "name") == name)
}

fn biggest_body(code: &Value) -> u64 {
    code["biggest_body"]["body_bytes"].as_u64().unwrap_or_default()
}

fn producers(report: &Value) -> Value {
    let mut producers = Map::new();
    for field in rows(report, "producers") {
        let values = rows(field, "values").iter();
        let values = values.map(|value| format!("{} {}", text(value, "name"), text(value, "version")));
        producers.insert(text(field, "field").to_owned(), values.collect());
    }
    producers.into()
}

fn target_features(report: &Value) -> Value {
    rows(report, "target_features").iter().map(|row| row["name"].clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::product::Product;
    use expect_test::expect;

    #[test]
    fn a_report_becomes_facts() {
        let root = crate::root();
        let product = Product::of_tests(root).unwrap();
        let output = product.run(root, &["inspect", "--json", "examples/alert.wasm"]).unwrap();
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        let facts = facts(&report);
        let lines: Vec<_> =
            facts.as_object().unwrap().iter().map(|(key, value)| format!("{key} {value}")).collect();
        expect![[r#"
            biggest_body 20
            customs [["name",69]]
            data_bytes 19
            data_segs 1
            elem_segs 0
            exports_head ["memory:Memory","_start:Func"]
            funcs 1
            globals 0
            has_initialize false
            has_start_export true
            import_funcs {"wasmos":["read_sensor","send_alert"]}
            imports {"wasmos":{"func":2}}
            max_depth 1
            memories [{"import":false,"m64":false,"max":null,"min":1,"page":null,"shared":false}]
            n_exports 2
            n_imports 2
            needs []
            ops 11
            producers {}
            sections {"code":[1,21],"data":[1,25],"export":[1,19],"function":[1,2],"import":[1,42],"memory":[1,3],"type":[1,15]}
            sha256 "b5505a6818e694f96abbfd4d9b02a5a05441587020d384a7de02b23edd20f2c3"
            size 226
            start_section false
            tables []
            tags 0
            target_features []
            types 3"#]].assert_eq(&lines.join("\n"));
    }

    #[test]
    fn a_report_without_a_key_agrees_with_nothing() {
        let facts = facts(&json!({}));
        assert_eq!(facts["size"], Value::Null);
        assert_eq!(facts["max_depth"], Value::Null);
    }

    #[test]
    fn the_count_of_bodies_takes_as_many_bytes_as_leb128_gives_it() {
        let cases = [(0, 1), (1, 1), (127, 1), (128, 2), (16_383, 2), (16_384, 3), (u64::from(u32::MAX), 5)];
        for (number, len_bytes) in cases {
            assert_eq!(leb128_len_bytes(number), len_bytes, "{number}");
        }
    }

    #[test]
    fn features_that_are_none_of_ours_are_left_out() {
        let known = known_needs(&json!(["call_indirect_overlong", "simd", "gc"]));
        assert_eq!(known, json!(["gc", "simd"]));
        assert_eq!(needs(&json!({ "features": ["memory64", "simd", "gc"] })), known);
    }
}
