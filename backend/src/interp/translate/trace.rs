//! Which op came from which instruction: a by-product of translating again, on the way to a trap or a backtrace.

/// An op.
#[derive(Clone, Copy, Debug)]
struct Op {
    /// Its first word.
    at: usize,
    /// Offset of its instruction.
    offset: u32,
    /// Sum of the charges that were passed.
    run: u32,
}

/// The ops of a body, and where the open sites got their amounts.
#[derive(Debug, Default)]
pub(crate) struct Trace {
    ops: Vec<Op>,
    /// How many ops stood in front, and the sum of the charges that were passed.
    closes: Vec<(usize, u32)>,
    offset: u32,
    first: Option<u32>,
}

/// What is known of an op.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    /// Offset of its instruction.
    pub(crate) offset: u32,
    /// What was paid, when it ran, for charges of the plan behind the one that its instruction stands in.
    pub(crate) ahead: u32,
}

impl Trace {
    pub(super) fn begin(&mut self, offset: u32) {
        self.offset = offset;
        self.first.get_or_insert(offset);
    }

    pub(super) fn op(&mut self, at: usize, run: u32) {
        self.ops.push(Op { at, offset: self.offset, run });
    }

    pub(super) fn close(&mut self, run: u32) {
        self.closes.push((self.ops.len(), run));
    }

    pub(super) fn take_back(&mut self, to: usize) {
        while self.ops.last().is_some_and(|op| op.at >= to) {
            self.ops.pop();
        }
        let len = self.ops.len();
        self.closes.iter_mut().rev().take_while(|close| close.0 > len).for_each(|close| close.0 = len);
    }

    /// Returns the offset of the first instruction.
    pub(crate) fn first(&self) -> u32 {
        self.first.unwrap_or(0)
    }

    /// Returns where the op comes from that begins at a word, or in which the word lies.
    pub(crate) fn origin(&self, word: usize) -> Origin {
        let behind = self.ops.partition_point(|op| op.at <= word);
        let Some(op) = behind.checked_sub(1).and_then(|index| self.ops.get(index)) else {
            return Origin { offset: self.first(), ahead: 0 };
        };
        let close = self.closes.get(self.closes.partition_point(|close| close.0 < behind));
        Origin { offset: op.offset, ahead: close.map_or(0, |close| close.1.wrapping_sub(op.run)) }
    }
}
