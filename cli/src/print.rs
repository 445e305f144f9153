//! `wasmos print`: a module as text, each line with its byte offset, written while it is read.
//!
//! Without its first column the output is WebAssembly text, from which the same module can be assembled (custom
//! sections, and paddings of integers, aside). Names stand in comments.

mod body;
mod fields;

use std::collections::HashMap;
use std::fmt::Display;
use std::io::{self, Write};

use wasmos_frontend::module::{Export, ExternIdx, ExternKind, Import};
use wasmos_frontend::types::FuncIdx;
use wasmos_frontend::{Error, Features, Module};

use crate::args::PrintArgs;
use crate::exit::Exit;
use crate::input::Input;
use crate::output::Escaped;
use crate::problem::Problem;

pub(crate) fn run(args: &PrintArgs, out: &mut dyn Write, err: &mut dyn Write) -> io::Result<Exit> {
    let (module, origin) = match Input::read(&args.file).and_then(|input| input.decode(Features::all())) {
        Ok(decoded) => decoded,
        Err(problem) => return refuse(&problem, err),
    };
    let mut printer = Printer::new(out, &module);
    match args.function.as_deref().map(|text| find(&module, &origin.name, text)) {
        None => printer.module()?,
        Some(Ok(func)) => printer.function(func)?,
        Some(Err(problem)) => return refuse(&problem, err),
    }
    let Some((func, error)) = printer.unreadable else { return Ok(Exit::Fine) };
    out.flush()?;
    refuse(&origin.refuse(&error).note(format!("in function {func}")), err)
}

fn refuse(problem: &Problem, err: &mut dyn Write) -> io::Result<Exit> {
    problem.write(err)?;
    Ok(problem.exit)
}

/// Writes lines of a module.
struct Printer<'a> {
    out: &'a mut dyn Write,
    module: &'a Module,
    /// The imports that are functions, by function index.
    imported: Vec<&'a Import>,
    /// The first export of each function that has one.
    exported: HashMap<FuncIdx, &'a Export>,
    /// The first function that could not be read, and what it is refused for.
    unreadable: Option<(FuncIdx, Error)>,
}

impl<'a> Printer<'a> {
    fn new(out: &'a mut dyn Write, module: &'a Module) -> Self {
        let functions = module.imports.iter().filter(|import| import.ty.kind() == ExternKind::Func);
        let imported = functions.collect();
        let exports = module.exports.iter().rev().filter_map(|export| match export.item {
            ExternIdx::Func(func) => Some((func, export)),
            _ => None,
        });
        Self { out, module, imported, exported: exports.collect(), unreadable: None }
    }

    /// Writes one line: offset, indentation by `depth`, text.
    fn line(&mut self, offset: u32, depth: usize, text: impl Display) -> io::Result<()> {
        /// Deeper nesting is not indented further: a guest may nest 100,000 blocks, and lines as long as that
        /// would be gigabytes.
        const MAX_DEPTH: usize = 32;
        writeln!(self.out, "{offset:#010x}  {:1$}{text}", "", 2 * depth.min(MAX_DEPTH))
    }

    /// Writes a comment in place of what cannot be read.
    fn unreadable(&mut self, func: FuncIdx, depth: usize, error: Error) -> io::Result<()> {
        self.line(error.offset, depth, format_args!(";; cannot be read: {}", error.kind))?;
        self.unreadable.get_or_insert((func, error));
        Ok(())
    }
}

/// Finds the function that a person means: by index, else by export, else by name.
fn find(module: &Module, file: &str, text: &str) -> Result<FuncIdx, Problem> {
    let n_funcs = module.funcs.len();
    let shown = Escaped::new(text);
    let problem = |sentence: String| Problem::new(Exit::Usage, file, sentence);
    if let Ok(index) = text.parse::<u32>() {
        let known = (index as usize) < n_funcs;
        return known.then_some(FuncIdx(index)).ok_or_else(|| {
            problem(format!("there is no function {index}: the module has {n_funcs}, counted from 0"))
        });
    }
    if let Some(ExternIdx::Func(func)) = module.export(text).map(|export| export.item) {
        return Ok(func);
    }
    let names = &module.names().funcs;
    let named: Vec<_> = names.iter().filter(|entry| module.text(entry.name) == text).collect();
    match *named.as_slice() {
        [only] if (only.index as usize) < n_funcs => Ok(FuncIdx(only.index)),
        [] | [_] => {
            let problem = problem(format!("no function is called `{shown}`"));
            let similar = similar(module, text);
            Err(if similar.is_empty() { problem } else { problem.help(&format!("there is {similar}")) })
        }
        _ => {
            let indices: Vec<_> = named.iter().take(10).map(|entry| entry.index.to_string()).collect();
            let problem = problem(format!("{} functions are called `{shown}`", named.len()));
            Err(problem.help(&format!("ask for one by its index: {}", indices.join(", "))))
        }
    }
}

/// Lists a few names that contain the text, which is what a person remembers of a long one.
fn similar(module: &Module, text: &str) -> String {
    let text = text.to_lowercase();
    let exports = module.exports.iter().filter(|export| matches!(export.item, ExternIdx::Func(_)));
    let exports = exports.map(|export| module.text(export.name));
    let names = module.names().funcs.iter().map(|entry| module.text(entry.name));
    let similar = exports.chain(names).filter(|name| name.to_lowercase().contains(&text));
    let similar: Vec<_> = similar.take(3).map(|name| format!("`{}`", Escaped::new(name))).collect();
    similar.join(", ")
}

#[cfg(test)]
mod tests {
    use wasmos_frontend::module::SectionId;

    use super::*;
    use crate::input::assemble;
    use crate::suite;

    fn printed(module: &Module) -> String {
        let mut out = Vec::new();
        let mut printer = Printer::new(&mut out, module);
        printer.module().expect("a vector takes every byte");
        assert_eq!(printer.unreadable, None);
        String::from_utf8(out).expect("the output is UTF-8")
    }

    /// Returns the output without the column of offsets: WebAssembly text.
    fn text(module: &Module) -> String {
        printed(module)
            .lines()
            .map(|line| line.get(10..).expect("a line has an offset"))
            .collect::<Vec<_>>()
            .join("\n")
    }

    fn without_customs(module: &Module) -> Vec<u8> {
        let mut bytes = module.bytes()[..8].to_vec();
        let sections = module.sections.iter().filter(|section| section.id != SectionId::Custom);
        for section in sections {
            bytes.extend_from_slice(&module.bytes()[section.offset as usize..section.content.end as usize]);
        }
        bytes
    }

    fn decode(bytes: &[u8]) -> Module {
        wasmos_frontend::decode(bytes).expect("the module is well-formed")
    }

    /// The second witness: an assembler that is not ours reads what we print, and gives the same module.
    #[test]
    fn a_printed_module_can_be_assembled_again() {
        let mut inexact = 0;
        for suite::SuiteModule { name, bytes, is_assembled } in suite::modules() {
            let module = decode(&bytes);
            let text = text(&module);
            let again = match assemble(&text) {
                Ok(again) => again,
                Err(error) => panic!("{name}: {error:?}\n{text}"),
            };
            if !is_assembled || again != without_customs(&module) {
                inexact += usize::from(is_assembled);
                let again = decode(&again);
                assert_eq!(again.rec_group_ends, module.rec_group_ends, "{name}");
                let memories =
                    |module: &Module| module.memories.iter().map(|memory| memory.ty).collect::<Vec<_>>();
                assert_eq!(memories(&again), memories(&module), "{name}");
                let printed = [super::tests::text(&again), text].map(|text| without_comments(&text));
                let differs = printed[0].lines().zip(printed[1].lines()).find(|(again, line)| again != line);
                assert_eq!(differs, None, "{name}");
            }
        }
        // A recursive group of one type, and a page size of 64 KiB, can be written or left to be understood.
        assert_eq!(inexact, 25, "modules that differ in a byte from what was assembled before");
    }

    /// Names and custom sections, which stand in comments, are lost on the way.
    fn without_comments(text: &str) -> String {
        let lines = text.lines().map(|line| line.split(" ;;").next().unwrap_or_default());
        lines.filter(|line| !line.trim().is_empty()).collect::<Vec<_>>().join("\n")
    }

    /// Offsets point at bytes: at each instruction's, its opcode stands in the module.
    #[test]
    fn an_offset_is_that_of_the_first_byte() {
        let module =
            decode(&assemble("(module (func i32.const 7 drop nop))").expect("the text is well-formed"));
        let out = printed(&module);
        for (instr, opcode) in [("i32.const 7", 0x41), ("drop", 0x1a), ("nop", 0x01), (")", 0x0b)] {
            let line =
                out.lines().find(|line| line.get(10..).map(str::trim) == Some(instr)).expect("it is printed");
            let offset = line.strip_prefix("0x").and_then(|line| usize::from_str_radix(&line[..8], 16).ok());
            assert_eq!(module.bytes().get(offset.expect("a line has an offset")), Some(&opcode), "{line}");
        }
    }

    /// 100,000 blocks in each other take lines as long as the deepest indentation, not as their depth.
    #[test]
    fn deep_nesting_costs_no_more_than_its_length() {
        let mut body = vec![0_u8];
        (0..100_000).for_each(|_| body.extend([0x02, 0x40]));
        body.resize(body.len() + 100_001, 0x0b);
        let mut bytes = b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x03\x02\x01\0\x0a".to_vec();
        let padded =
            |len: usize| [len as u8 & 0x7f | 0x80, (len >> 7) as u8 & 0x7f | 0x80, (len >> 14) as u8];
        bytes.extend(padded(body.len() + 4));
        bytes.push(1);
        bytes.extend(padded(body.len()));
        bytes.extend(body);
        let out = printed(&decode(&bytes));
        assert_eq!(out.lines().count(), 200_005);
        assert!(out.lines().all(|line| line.len() < 100));
    }

    #[test]
    fn a_function_is_found_by_index_export_and_name() {
        let module = decode(
            &assemble(
                r#"(module (func $a) (func $b (export "c")) (func $c)
                     (func (export "x\u{202e}y"))
                     (func $"twice\u{301}"))"#,
            )
            .expect("the text is well-formed"),
        );
        let find = |text: &str| {
            find(&module, "x.wasm", text).map(|func| func.0).map_err(|problem| {
                let mut out = Vec::new();
                problem.write(&mut out).expect("a vector takes every byte");
                String::from_utf8(out).expect("messages are UTF-8")
            })
        };
        assert_eq!(find("0"), Ok(0));
        assert_eq!(find("a"), Ok(0));
        // An export counts before a name: it is what others call the function.
        assert_eq!(find("c"), Ok(1));
        assert_eq!(find("x\u{202e}y"), Ok(3));
        assert_eq!(
            find("5"),
            Err("x.wasm: error: there is no function 5: the module has 5, counted from 0\n".into())
        );
        assert_eq!(
            find("TWICE"),
            Err("x.wasm: error: no function is called `TWICE`\n  help: there is `twice\u{301}`\n".into())
        );
    }
}
