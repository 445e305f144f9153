//! The call graph in the language of Graphviz: functions, and why each edge is thought to be there.
//!
//! Functions that an indirect call may reach hang behind one vertex, as in the graph itself: an edge for each pair would be a
//! product. What the host cannot make run is drawn dashed.

use std::io::{self, Write};

use wasmos_analysis::Facts;
use wasmos_analysis::callgraph::{Reason, Set, Vertex};
use wasmos_frontend::types::FuncIdx;

use crate::shown::{Escaped, fit};

/// Columns of a name in a box.
const NAME: usize = 60;

/// Writes the call graph of a module; `name` is the file's: untrusted text.
///
/// # Errors
/// What the writer fails with.
pub fn call_graph(out: &mut dyn Write, name: &str, facts: &Facts<'_>) -> io::Result<()> {
    let graph = facts.graph.graph();
    writeln!(out, "digraph {} {{", quoted(name))?;
    writeln!(out, "  rankdir=LR; node [shape=box, fontname=\"monospace\"]; edge [fontname=\"monospace\"];")?;
    for at in graph.node_indices() {
        write!(out, "  n{} [label={}", at.index(), quoted(&label(facts, graph[at])))?;
        writeln!(out, "{}];", look(facts, graph[at]))?;
    }
    for edge in graph.raw_edges() {
        write!(out, "  n{} -> n{}", edge.source().index(), edge.target().index())?;
        match edge.weight {
            Reason::Direct => writeln!(out, ";")?,
            // Behind a vertex of a set the edge in front of it has said why.
            _ if !matches!(graph[edge.source()], Vertex::Func(_)) => writeln!(out, " [style=dotted];")?,
            reason => writeln!(out, " [style=dashed, label=\"{}\"];", word(reason))?,
        }
    }
    writeln!(out, "}}")
}

fn label(facts: &Facts<'_>, vertex: Vertex) -> String {
    match vertex {
        Vertex::Func(func) => match name(facts, func) {
            Some(name) => format!("{func} {name}"),
            None => func.to_string(),
        },
        Vertex::Class(set, ty) => {
            let set = match set {
                Set::Table(table) => format!("table {table}"),
                Set::All => "every function that is referred to".to_owned(),
                Set::Segment(segment) => format!("element segment {segment}"),
            };
            ty.map_or(set.clone(), |ty| format!("{set}, type {ty}"))
        }
        Vertex::Site(call) => facts
            .graph
            .indirect
            .get(call as usize)
            .map_or_else(String::new, |it| format!("call at {:#x}", it.at)),
    }
}

fn name(facts: &Facts<'_>, func: FuncIdx) -> Option<String> {
    let import = facts.audit.of_func(func).map(|import| format!("{}.{}", import.module, import.name));
    let name = import.or_else(|| facts.module.func_name(func).map(str::to_owned))?;
    Some(fit(&Escaped::new(&name).to_string(), NAME))
}

fn look(facts: &Facts<'_>, vertex: Vertex) -> &'static str {
    let Vertex::Func(func) = vertex else { return ", shape=ellipse" };
    if facts.audit.of_func(func).is_some() {
        return ", shape=cds";
    }
    match (facts.graph.roots.binary_search(&func).is_ok(), facts.graph.is_reachable(func)) {
        (true, _) => ", penwidth=2",
        (false, true) => "",
        (false, false) => ", style=dashed",
    }
}

const fn word(reason: Reason) -> &'static str {
    match reason {
        Reason::Direct => "direct",
        Reason::Constant => "constant",
        Reason::Range => "range",
        Reason::Type => "type",
        Reason::HostMutable => "host",
        Reason::Reference => "reference",
    }
}

/// Returns a text as a string of the language, in which a backslash begins an escape of its own.
fn quoted(text: &str) -> String {
    format!("\"{}\"", Escaped::new(text).to_string().replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    #[test]
    fn edges_say_why_they_are_there_and_names_are_text() {
        let bytes = wat::parse_str(
            r#"(module (type $t (func)) (import "env" "\"];x" (func $import))
                 (table 2 funcref) (elem (i32.const 0) $a $b)
                 (func $a (call $import)) (func $b) (func $dead)
                 (func (export "f") (param i32)
                   (call_indirect (type $t) (i32.const 1)) (call_indirect (type $t) (local.get 0))))"#,
        )
        .unwrap();
        let module = wasmos_frontend::decode(bytes).and_then(wasmos_frontend::validate).unwrap();
        let mut out = Vec::new();
        call_graph(&mut out, "a\"b.wasm", &Facts::find(&module)).unwrap();
        expect![[r#"
            digraph "a\"b.wasm" {
              rankdir=LR; node [shape=box, fontname="monospace"]; edge [fontname="monospace"];
              n0 [label="0 env.\"];x", shape=cds];
              n1 [label="1 a"];
              n2 [label="2 b"];
              n3 [label="3 dead", style=dashed];
              n4 [label="4", penwidth=2];
              n5 [label="call at 0x50", shape=ellipse];
              n6 [label="table 0, type 0", shape=ellipse];
              n1 -> n0;
              n5 -> n2 [style=dotted];
              n6 -> n1 [style=dotted];
              n6 -> n2 [style=dotted];
              n4 -> n5 [style=dashed, label="constant"];
              n4 -> n6 [style=dashed, label="type"];
            }
        "#]]
        .assert_eq(std::str::from_utf8(&out).unwrap());
    }
}
