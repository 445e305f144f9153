//! Source lines of offsets, from DWARF: where findings come from, if the module says so.
//!
//! Debug information is text of the guest: it is read within a budget, what is broken is left out, and nobody has to believe
//! it. Only line programs are read; they say all that is needed, and units need not be walked.
//!
//! Source: DWARF 5, section 6.2; "DWARF for WebAssembly": addresses count from the content of the code section.

use gimli::{
    AttributeValue, DebugLine, DebugLineOffset, DebugLineStr, DebugStr, EndianSlice, FileEntry,
    LineProgramHeader, LineRow, LittleEndian,
};
use wasmos_frontend::ValidModule;
use wasmos_frontend::module::SectionId;

/// Rows of line programs that are read of a module.
const ROWS: u32 = 20_000_000;
/// Programs that are begun.
const PROGRAMS: usize = 100_000;
/// The longest header of a program that is read, in bytes: its tables take many times as much memory.
const HEADER_BYTES: u32 = 1 << 20;
/// Characters of a path that are kept.
const PATH: usize = 300;

/// A place in a source file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceLine {
    /// The file, relative to where the unit was compiled if that is how it was named: untrusted text.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1; 0 if it is not known.
    pub column: u32,
}

type Slice<'a> = EndianSlice<'a, LittleEndian>;

/// The sections that are read.
struct Dwarf<'a> {
    line: DebugLine<Slice<'a>>,
    /// All of `.debug_line`.
    bytes: &'a [u8],
    line_str: DebugLineStr<Slice<'a>>,
    str: DebugStr<Slice<'a>>,
}

/// Finds the source lines of offsets in the module, in their order; `None` where nothing is known.
#[must_use]
pub fn source_lines(module: &ValidModule, offsets: &[u32]) -> Vec<Option<SourceLine>> {
    let mut found = vec![None; offsets.len()];
    let code = module.sections.iter().find(|section| section.id == SectionId::Code);
    let (Some(code), Some(dwarf)) = (code, Dwarf::of(module)) else { return found };
    let code = code.content;
    // What is looked for, in ascending order: address, and position in `offsets`.
    let wanted = offsets.iter().enumerate().filter(|(_, offset)| (code.start..code.end).contains(*offset));
    let mut wanted: Vec<(u64, usize)> =
        wanted.map(|(at, offset)| (u64::from(offset - code.start), at)).collect();
    wanted.sort_unstable();
    if !wanted.is_empty() {
        dwarf.search(&wanted, &mut found);
    }
    found
}

impl<'a> Dwarf<'a> {
    fn of(module: &'a ValidModule) -> Option<Self> {
        let section = |name: &str| {
            let found = module.customs.iter().find(|section| module.text(section.name) == name)?;
            Some(found.content.of(module.bytes()))
        };
        let bytes = section(".debug_line")?;
        let slice = |bytes| Slice::new(bytes, LittleEndian);
        Some(Self {
            line: DebugLine::from(slice(bytes)),
            bytes,
            line_str: DebugLineStr::from(slice(section(".debug_line_str").unwrap_or_default())),
            str: DebugStr::from(slice(section(".debug_str").unwrap_or_default())),
        })
    }

    fn search(&self, wanted: &[(u64, usize)], found: &mut [Option<SourceLine>]) {
        let (mut at, mut rows_left) = (0, ROWS);
        for _ in 0..PROGRAMS {
            let Some(unit) = Unit::at(self.bytes, at) else { return };
            if unit.header_bytes <= HEADER_BYTES {
                // What is broken says nothing of the programs behind it.
                let _ = self.search_program(at, wanted, found, &mut rows_left);
            }
            if rows_left == 0 {
                return;
            }
            at = unit.end;
        }
    }

    fn search_program(
        &self,
        at: usize,
        wanted: &[(u64, usize)],
        found: &mut [Option<SourceLine>],
        rows_left: &mut u32,
    ) -> gimli::Result<()> {
        let program = self.line.program(DebugLineOffset(at), 4, None, None)?;
        let mut rows = program.rows();
        let mut before: Option<(u64, LineRow)> = None;
        while let Some((header, row)) = rows.next_row()? {
            *rows_left = rows_left.saturating_sub(1);
            if *rows_left == 0 {
                return Ok(());
            }
            if let Some((begin, before)) = &before {
                let first = wanted.partition_point(|(address, _)| address < begin);
                let inside = wanted[first..].iter().take_while(|(address, _)| *address < row.address());
                for (_, position) in inside {
                    if found[*position].is_none() {
                        found[*position] = self.line(header, before);
                    }
                }
            }
            // Linkers set what they have thrown away to address 0, which is none of a body.
            let goes_on = !row.end_sequence() && row.address() > 0;
            before = goes_on.then(|| (row.address(), *row));
        }
        Ok(())
    }

    fn line(&self, header: &LineProgramHeader<Slice<'a>>, row: &LineRow) -> Option<SourceLine> {
        let line = u32::try_from(row.line()?.get()).ok()?;
        let column = match row.column() {
            gimli::ColumnType::LeftEdge => 0,
            gimli::ColumnType::Column(column) => u32::try_from(column.get()).unwrap_or(0),
        };
        let file = self.path(header, row.file(header)?)?;
        Some(SourceLine { file, line, column })
    }

    /// The folder of index 0 is where the unit was compiled: it says more of a machine than of the source.
    fn path(&self, header: &LineProgramHeader<Slice<'a>>, file: &FileEntry<Slice<'a>>) -> Option<String> {
        let name = self.text(&file.path_name())?;
        let folder = match file.directory_index() {
            0 => None,
            _ => file.directory(header).and_then(|folder| self.text(&folder)),
        };
        let path = match folder {
            Some(folder) if !name.starts_with('/') => format!("{folder}/{name}"),
            _ => name,
        };
        Some(path.chars().take(PATH).collect())
    }

    fn text(&self, value: &AttributeValue<Slice<'a>>) -> Option<String> {
        let slice = match value {
            AttributeValue::String(slice) => *slice,
            AttributeValue::DebugLineStrRef(offset) => self.line_str.get_str(*offset).ok()?,
            AttributeValue::DebugStrRef(offset) => self.str.get_str(*offset).ok()?,
            _ => return None,
        };
        let bytes = slice.slice();
        Some(String::from_utf8_lossy(bytes.get(..PATH).unwrap_or(bytes)).into_owned())
    }
}

/// A line program, as far as it must be known before it is read.
struct Unit {
    end: usize,
    header_bytes: u32,
}

impl Unit {
    /// Reads the lengths at an offset. The 64-bit form has no place in a module of less than 4 GiB.
    fn at(bytes: &[u8], at: usize) -> Option<Self> {
        let word = |at: usize| {
            let field = bytes.get(at..at.checked_add(4)?)?;
            Some(u32::from_le_bytes(field.try_into().ok()?))
        };
        let len = word(at).filter(|len| (2..0xffff_fff0).contains(len))?;
        let end = at.checked_add(4)?.checked_add(len as usize).filter(|end| *end <= bytes.len())?;
        let version = u16::from_le_bytes(bytes.get(at + 4..at + 6)?.try_into().ok()?);
        let header_bytes = word(if version >= 5 { at + 8 } else { at + 6 })?;
        Some(Self { end, header_bytes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::module;

    /// A program of DWARF 4 for one file, whose lines follow from its operations.
    fn program(operations: &[u8]) -> Vec<u8> {
        // One byte an instruction, statements by default, no special opcode of a range, ten standard ones.
        let mut header = vec![1, 1, 1, 0, 1, 10, 0, 1, 1, 1, 1, 0, 0, 0, 1];
        header.extend(b"src\0\0main.c\0\x01\0\0\0");
        let mut unit = vec![4, 0];
        unit.extend((header.len() as u32).to_le_bytes());
        unit.extend(header);
        unit.extend(operations);
        let mut bytes = (unit.len() as u32).to_le_bytes().to_vec();
        bytes.extend(unit);
        bytes
    }

    fn with_lines(line: &[u8]) -> ValidModule {
        let escaped: String = line.iter().map(|byte| format!("\\{byte:02x}")).collect();
        module(&format!("(module (func nop nop nop) (@custom \".debug_line\" \"{escaped}\"))"))
    }

    /// Address 1, line 7; address 4, line 9; the end at 6.
    const OPERATIONS: [u8; 18] = [0, 5, 2, 1, 0, 0, 0, 3, 6, 1, 2, 3, 3, 2, 1, 2, 2, 0];

    #[test]
    fn an_offset_is_where_the_line_program_says() {
        let line = program(&[&OPERATIONS[..], &[1, 1]].concat());
        let module = with_lines(&line);
        let code = module.sections.iter().find(|section| section.id == SectionId::Code).unwrap().content;
        let lines = source_lines(&module, &[code.start, code.start + 2, code.start + 4, code.start + 5, 0]);
        let lines: Vec<_> = lines.into_iter().map(|it| it.map(|it| (it.file, it.line))).collect();
        let at = |line| Some(("src/main.c".to_owned(), line));
        assert_eq!(lines, [None, at(7), at(9), at(9), None]);
    }

    #[test]
    fn what_is_broken_is_left_out_and_never_a_panic() {
        let whole = program(&[&OPERATIONS[..], &[1, 1]].concat());
        let mut rng = 0x2545_f491_u32;
        for cut in 0..whole.len() {
            let mut bytes = whole[..cut].to_vec();
            drop(source_lines(&with_lines(&bytes), &[30, 31, 32]));
            bytes = whole.clone();
            for _ in 0..3 {
                rng = rng.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let at = rng as usize % bytes.len();
                bytes[at] = (rng >> 24) as u8;
            }
            drop(source_lines(&with_lines(&bytes), &[30, 31, 32]));
        }
    }
}
