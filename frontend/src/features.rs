//! The proposals that the frontend knows, each of which can be switched off.

use core::fmt;

macro_rules! features {
    ($($variant:ident $name:literal $doc:literal;)*) => {
        /// A part of WebAssembly that arrived after the first release.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Feature {
            $(#[doc = $doc] $variant,)*
        }

        impl Feature {
            /// Every feature, in the order of the declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Returns the name that `--features` takes, e.g. `tail-call`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }
    };
}

features! {
    Mvp                 "mvp"                    "The first release; it cannot be switched off.";
    MutableGlobal       "mutable-global"         "Import and export of mutable globals.";
    SaturatingFloatToInt "saturating-float-to-int" "Conversions that saturate instead of trapping.";
    SignExtension       "sign-extension"         "Sign-extension instructions.";
    MultiValue          "multi-value"            "Several results, and block types with parameters.";
    BulkMemory          "bulk-memory"            "Bulk operations and passive segments.";
    ReferenceTypes      "reference-types"        "`externref`, several tables, table instructions.";
    Simd                "simd"                   "128-bit vectors.";
    RelaxedSimd         "relaxed-simd"           "Vector instructions with implementation-defined corners.";
    TailCall            "tail-call"              "`return_call` and its relatives.";
    ExtendedConst       "extended-const"         "Integer arithmetic in constant expressions.";
    MultiMemory         "multi-memory"           "More than one memory.";
    Memory64            "memory64"               "Memories and tables with 64-bit addresses.";
    FunctionReferences  "function-references"    "Typed function references.";
    Gc                  "gc"                     "Structures, arrays, subtyping, recursive types.";
    Exceptions          "exceptions"             "Tags, `try_table` and `exnref`.";
    LegacyExceptions    "legacy-exceptions"      "The first form of exceptions: `try`, `catch`, `delegate`, `rethrow`.";
    Threads             "threads"                "Shared memories and atomic accesses.";
    CustomPageSizes     "custom-page-sizes"      "Memories with pages of one byte.";
    WideArithmetic      "wide-arithmetic"        "128-bit integer arithmetic.";
}

impl fmt::Display for Feature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A set of [`Feature`]s; the default holds all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Features(u32);

impl Features {
    /// Returns the set that holds the first release only.
    #[must_use]
    pub const fn mvp() -> Self {
        Self(1 << Feature::Mvp as u32)
    }

    /// Returns the set of all features.
    #[must_use]
    pub const fn all() -> Self {
        Self((1 << Feature::ALL.len()) - 1)
    }

    /// Returns the set with no feature at all, not even the first release: the start of a count of uses.
    #[must_use]
    pub const fn none() -> Self {
        Self(0)
    }

    /// Returns whether `feature` is in the set.
    #[inline]
    #[must_use]
    pub const fn contains(self, feature: Feature) -> bool {
        self.0 & (1 << feature as u32) != 0
    }

    /// Returns the set as bits, in the order of the declaration.
    pub(crate) const fn bits(self) -> u32 {
        self.0
    }

    pub(crate) const fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    /// Adds `feature`.
    #[inline]
    pub const fn insert(&mut self, feature: Feature) {
        self.0 |= 1 << feature as u32;
    }

    /// Returns the features that are in either set.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Takes `feature` out; [`Feature::Mvp`] stays.
    pub const fn remove(&mut self, feature: Feature) {
        if !matches!(feature, Feature::Mvp) {
            self.0 &= !(1 << feature as u32);
        }
    }

    /// Yields the features of the set in the order of their declaration.
    pub fn iter(self) -> impl Iterator<Item = Feature> {
        Feature::ALL.iter().copied().filter(move |f| self.contains(*f))
    }
}

impl Default for Features {
    fn default() -> Self {
        Self::all()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_set_holds_what_was_put_in_and_the_first_release_always() {
        let mut set = Features::all();
        assert!(Feature::ALL.iter().all(|f| set.contains(*f)));
        Feature::ALL.iter().for_each(|f| set.remove(*f));
        assert_eq!(set, Features::mvp());
        set.insert(Feature::Gc);
        assert_eq!(set.iter().collect::<Vec<_>>(), [Feature::Mvp, Feature::Gc]);
    }
}
