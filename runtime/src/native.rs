//! The wasmos ABI: simulated sensors, a log, alerts. The same functions under the modules `wasmos` and `env`.

use std::collections::BTreeMap;

use wasmos_abi::imports;

use crate::error::Error;
use crate::events::EventKind;
use crate::host::{Caller, HostFailure, IntoHostFunc};
use crate::linker::Linker;
use crate::store::AsStore;

/// The longest message that is kept; what is beyond is cut, and the cut is marked.
pub const MESSAGE_BYTES: u32 = 64 * 1024;
/// What stands where a message was cut.
const CUT: &[u8] = b" [cut]";
/// The modules that ask for the ABI.
const MODULES: [&str; 2] = ["wasmos", "env"];
/// The levels of an alert reach to this.
const MAX_LEVEL: i32 = 3;

/// What the sensors read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sensors {
    /// These and no others: any other answers -1.
    Fixed(BTreeMap<i32, i32>),
    /// These; any other from 0 up is derived from the seed, and below 0 there are none.
    Seeded {
        /// Where readings are derived from.
        seed: u64,
        /// Readings that are fixed.
        fixed: BTreeMap<i32, i32>,
    },
}

impl Default for Sensors {
    fn default() -> Self {
        Self::Seeded { seed: 0, fixed: BTreeMap::new() }
    }
}

impl Sensors {
    /// Returns the reading of a sensor, -1 if there is no such sensor. The same sensor always reads the same.
    #[must_use]
    pub fn read(&self, id: i32) -> i32 {
        match self {
            Self::Fixed(fixed) | Self::Seeded { fixed, .. } if fixed.contains_key(&id) => fixed[&id],
            Self::Seeded { seed, .. } if id >= 0 => derive(*seed, id),
            _ => -1,
        }
    }
}

/// A reading from 0 to 999 (splitmix64, so that neighbouring sensors differ).
fn derive(seed: u64, id: i32) -> i32 {
    let mut x = seed.wrapping_add((u64::from(id.cast_unsigned()) + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    x = (x ^ x >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ x >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((x ^ x >> 31) % 1_000) as i32
}

/// A message of the guest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// From `log`: untrusted bytes, not always text.
    Log(Vec<u8>),
    /// From `send_alert`.
    Alert {
        /// From 0 to 3.
        level: u8,
        /// Untrusted bytes, not always text.
        message: Vec<u8>,
    },
}

/// Where messages go as they come, e.g. to the terminal.
pub type Sink = Box<dyn FnMut(&Message) + Send>;

/// The state behind the ABI.
#[derive(Default)]
pub struct Native {
    /// What the sensors read.
    pub sensors: Sensors,
    /// Where messages go as they come.
    pub sink: Option<Sink>,
}

impl std::fmt::Debug for Native {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Native").field("sensors", &self.sensors).finish_non_exhaustive()
    }
}

/// Finds the state behind the ABI in the embedder's data.
pub type Get<T> = fn(&mut T) -> &mut Native;

/// Defines the functions of the ABI. Each is guarded by the capability that `abi::imports` gives it.
///
/// # Errors
/// [`Error::DefinedTwice`].
pub fn add_to_linker<T: 'static>(linker: &mut Linker<T>, get: Get<T>) -> Result<(), Error> {
    for module in MODULES {
        define(linker, module, "read_sensor", move |mut caller: Caller<'_, T>, id: i32| {
            get(caller.data_mut()).sensors.read(id)
        })?;
        define(linker, module, "log", move |mut caller: Caller<'_, T>, addr: u32, len: u32| {
            let message = Message::Log(read(&mut caller, addr, len)?);
            deliver(&mut caller, get, message);
            Ok::<(), HostFailure>(())
        })?;
        define(
            linker,
            module,
            "send_alert",
            move |mut caller: Caller<'_, T>, addr: u32, len: u32, level: i32| {
                let level = level.clamp(0, MAX_LEVEL) as u8;
                let message = Message::Alert { level, message: read(&mut caller, addr, len)? };
                deliver(&mut caller, get, message);
                Ok::<(), HostFailure>(())
            },
        )?;
    }
    Ok(())
}

/// Defines a known function, guarded by its capability.
pub(crate) fn define<T, Marker>(
    linker: &mut Linker<T>,
    module: &str,
    name: &str,
    func: impl IntoHostFunc<T, Marker>,
) -> Result<(), Error> {
    match imports::find(module, name) {
        Some(known) => linker.func_wrap_guarded((module, name), known.capability, func)?,
        None => linker.func_wrap(module, name, func)?,
    };
    Ok(())
}

/// Copies a message out of the guest's memory, all of which must be there; the kept part counts as output.
fn read<T>(caller: &mut Caller<'_, T>, addr: u32, len: u32) -> Result<Vec<u8>, HostFailure> {
    caller.charge_output(u64::from(len.min(MESSAGE_BYTES)))?;
    let bytes = caller.read(addr, len)?;
    Ok(match bytes.get(..MESSAGE_BYTES as usize) {
        Some(kept) if len > MESSAGE_BYTES => [kept, CUT].concat(),
        _ => bytes.to_vec(),
    })
}

fn deliver<T>(caller: &mut Caller<'_, T>, get: Get<T>, message: Message) {
    if let Some(sink) = &mut get(caller.data_mut()).sink {
        sink(&message);
    }
    let store = caller.store_mut();
    if store.gate().remembers() {
        let fuel = store.fuel_used();
        let kind = match message {
            Message::Log(bytes) => EventKind::Log(bytes),
            Message::Alert { level, message } => EventKind::Alert { level, message },
        };
        store.gate_mut().event(fuel, kind);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sensors_repeat_and_unknown_ones_answer_minus_one() {
        let seeded = Sensors::Seeded { seed: 1, fixed: BTreeMap::from([(7, 42)]) };
        assert_eq!((seeded.read(7), seeded.read(-1)), (42, -1));
        assert_eq!(seeded.read(3), seeded.read(3));
        assert_ne!(seeded.read(3), Sensors::default().read(3));
        assert!((0..100).all(|id| (0..1_000).contains(&seeded.read(id))));
        assert_eq!(Sensors::Fixed(BTreeMap::from([(1, 5)])).read(2), -1);
    }

    #[test]
    fn every_known_import_of_the_abi_is_defined_with_its_type() {
        let mut linker = Linker::<Native>::new(&crate::Engine::default());
        add_to_linker(&mut linker, |native| native).unwrap();
        for known in imports::known().filter(|import| MODULES.contains(&import.module)) {
            let found = linker.host_type(known.module, known.name).expect("a definition");
            let map =
                |types: &[imports::Type]| types.iter().map(|ty| crate::value::known(*ty)).collect::<Vec<_>>();
            let wanted = crate::FuncType::new(&map(known.params), &map(known.results));
            assert_eq!(found, wanted, "{}.{}", known.module, known.name);
        }
    }
}
