//! What a guest may be allowed to do, one row each.

use core::fmt;

macro_rules! capabilities {
    ($($variant:ident $name:literal $sentence:literal;)*) => {
        /// Something that a host function does for a guest, and that can be withheld.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Capability {
            $(#[doc = $sentence] $variant,)*
        }

        impl Capability {
            /// Every capability, in the order of the declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Returns the name that `--deny` and grant files use.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// Says what it allows.
            #[must_use]
            pub const fn sentence(self) -> &'static str {
                match self { $(Self::$variant => $sentence,)* }
            }

            /// Returns the capability of a name.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|capability| capability.name() == name)
            }
        }
    };
}

capabilities! {
    Sensor  "sensor"   "Reads simulated sensors.";
    Log     "log"      "Writes lines to the log of the run.";
    Alert   "alert"    "Raises alerts of the run.";
    Args    "args"     "Reads its arguments.";
    Env     "env"      "Reads its environment variables.";
    Stdio   "stdio"    "Reads and writes what is open, the standard streams first.";
    FsRead  "fs-read"  "Opens, lists and looks at files in the directories that it was given.";
    FsWrite "fs-write" "Creates, changes and removes files in the directories that it was given.";
    Clock   "clock"    "Reads clocks and sleeps.";
    Random  "random"   "Takes random bytes.";
    Exit    "exit"     "Ends its run.";
    Sockets "sockets"  "Uses sockets.";
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stands_for_one_capability() {
        for capability in Capability::ALL {
            assert_eq!(Capability::from_name(capability.name()), Some(*capability));
        }
    }
}
