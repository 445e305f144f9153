//! Where two values differ.

use serde_json::{Map, Value};

/// Returns a line for each place where `ours` is not what is `known`; `path` is the place of both.
pub(super) fn of(path: &str, known: &Value, ours: &Value) -> Vec<String> {
    match (known, ours) {
        (Value::Object(known), Value::Object(ours)) => of_objects(path, known, ours),
        (Value::Array(known), Value::Array(ours)) if known.len() == ours.len() => {
            let items = known.iter().zip(ours).enumerate();
            items.flat_map(|(index, (known, ours))| of(&format!("{path}[{index}]"), known, ours)).collect()
        }
        _ if known == ours => Vec::new(),
        _ => vec![format!("{path} is {known}, we say {ours}")],
    }
}

fn of_objects(path: &str, known: &Map<String, Value>, ours: &Map<String, Value>) -> Vec<String> {
    let only_ours = ours.keys().filter(|key| !known.contains_key(*key));
    let keys = known.keys().chain(only_ours);
    let at = |map: &Map<String, Value>, key: &str| map.get(key).cloned().unwrap_or(Value::Null);
    keys.flat_map(|key| of(&format!("{path}.{key}"), &at(known, key), &at(ours, key))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn each_place_that_differs_is_named_and_no_other() {
        let known = json!({ "same": 1, "less": 2, "gone": 3, "list": [1, [2, 3]], "short": [1] });
        let ours = json!({ "same": 1, "less": 1, "more": 4, "list": [1, [2, 4]], "short": [] });
        assert_eq!(
            of("x", &known, &ours),
            [
                "x.gone is 3, we say null",
                "x.less is 2, we say 1",
                "x.list[1][1] is 3, we say 4",
                "x.short is [1], we say []",
                "x.more is null, we say 4",
            ]
        );
    }
}
