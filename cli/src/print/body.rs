//! Functions: one line per instruction, blocks indented, names in comments.

use std::fmt::{self, Write as _};
use std::io;

use wasmos_frontend::code::Instrs;
use wasmos_frontend::module::Body;
use wasmos_frontend::opcode::Instr;
use wasmos_frontend::types::{FuncIdx, ValType};

use crate::output::Escaped;
use crate::print::Printer;

impl Printer<'_> {
    /// Writes a function, or the import that stands for it.
    pub(super) fn function(&mut self, func: FuncIdx) -> io::Result<()> {
        match (self.module.body(func), self.imported.get(func.index())) {
            (Some(body), _) => self.defined(func, body, 0),
            (None, Some(import)) => self.import(import, 0),
            (None, None) => Ok(()),
        }
    }

    /// Writes a function with its body.
    pub(super) fn defined(&mut self, func: FuncIdx, body: Body, depth: usize) -> io::Result<()> {
        let module = self.module;
        let mut head = format!("(func (;{func};)");
        if let Some(declared) = module.funcs.get(func.index()) {
            let _ = write!(head, " (type {})", declared.ty);
        }
        if let Some(ty) = module.func_type(func) {
            type_list(&mut head, "param", ty.params());
            type_list(&mut head, "result", ty.results());
        }
        self.line(body.0.start, depth, format_args!("{head}{}", Comment(self.name_of(func))))?;
        match module.code(body) {
            Ok((locals, instrs)) => {
                self.locals(body, &locals, depth + 1)?;
                self.instrs(func, instrs, depth)
            }
            Err(error) => {
                self.unreadable(func, depth + 1, error)?;
                self.line(body.0.end, depth, ")")
            }
        }
    }

    /// A run of locals is one entry however long it is, so that the line is written without being built.
    fn locals(&mut self, body: Body, locals: &[(u32, ValType)], depth: usize) -> io::Result<()> {
        struct Locals<'a>(&'a [(u32, ValType)]);
        impl fmt::Display for Locals<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("(local")?;
                for (count, ty) in self.0 {
                    (0..*count).try_for_each(|_| write!(f, " {ty}"))?;
                }
                f.write_str(")")
            }
        }
        if locals.is_empty() {
            return Ok(());
        }
        self.line(body.0.start, depth, Locals(locals))
    }

    /// Writes the instructions; the last `end` closes the parenthesis of the function.
    fn instrs(&mut self, func: FuncIdx, mut instrs: Instrs<'_>, depth: usize) -> io::Result<()> {
        let mut open = 0_usize;
        loop {
            let (offset, instr) = match instrs.try_next() {
                Ok(Some(next)) => next,
                Ok(None) => return self.line(instrs.offset(), depth, ") ;; without an `end`"),
                Err(error) => {
                    self.unreadable(func, depth + 1 + open, error)?;
                    return self.line(instrs.offset(), depth, ")");
                }
            };
            if matches!(instr, Instr::End) && open == 0 {
                return self.line(offset, depth, ")");
            }
            if matches!(
                instr,
                Instr::End | Instr::Else | Instr::Catch(_) | Instr::CatchAll | Instr::Delegate(_)
            ) {
                open = open.saturating_sub(1);
            }
            let comment = Comment(callee(&instr).map(|func| self.name_of(func)).unwrap_or_default());
            self.line(offset, depth + 1 + open, format_args!("{instr}{comment}"))?;
            if matches!(
                instr,
                Instr::Block(_)
                    | Instr::Loop(_)
                    | Instr::If(_)
                    | Instr::Else
                    | Instr::Try(_)
                    | Instr::TryTable(_)
                    | Instr::Catch(_)
                    | Instr::CatchAll
            ) {
                open += 1;
            }
        }
    }

    /// Returns what a function is called, escaped: by the name section, by its import, or by its export.
    fn name_of(&self, func: FuncIdx) -> String {
        let module = self.module;
        let text = |name| Escaped::new(module.text(name));
        if let Some(name) = module.func_name(func) {
            return Escaped::new(name).to_string();
        }
        match (self.imported.get(func.index()), self.exported.get(&func)) {
            (Some(import), _) => format!("{}.{}", text(import.module), text(import.name)),
            (None, Some(export)) => text(export.name).to_string(),
            (None, None) => String::new(),
        }
    }
}

const fn callee(instr: &Instr<'_>) -> Option<FuncIdx> {
    match instr {
        Instr::Call(func) | Instr::ReturnCall(func) | Instr::RefFunc(func) => Some(*func),
        _ => None,
    }
}

/// A comment to the end of the line; nothing if it would be empty. What it holds is escaped, so that it does end
/// there.
struct Comment(String);

impl fmt::Display for Comment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() { Ok(()) } else { write!(f, " ;; {}", self.0) }
    }
}

fn type_list(text: &mut String, word: &str, types: &[ValType]) {
    if types.is_empty() {
        return;
    }
    let _ = write!(text, " ({word}");
    for ty in types {
        let _ = write!(text, " {ty}");
    }
    text.push(')');
}
