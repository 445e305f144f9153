//! What the data of a module says: text, addresses, secrets, embedded files, entropy, tables of known algorithms.
//!
//! One pass over each segment and each name for each question; what is kept is capped, and says so.

use std::sync::LazyLock;

use regex::bytes::{Regex, RegexSet};
use wasmos_frontend::ValidModule;

use crate::mix::{BLAKE256_C, Family, KECCAK_RC, SHA256_K};

/// How many strings, indicators, secrets and files are kept.
const KEPT: usize = 1_000;
/// Characters that are kept of a string.
const TEXT: usize = 200;
/// What counts as a string.
const MIN_TEXT: usize = 6;

/// A text in a segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// Absolute offset of its first byte.
    pub at: u32,
    /// The text: untrusted, and cut after 200 characters.
    pub text: String,
}

/// What an address is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum IndicatorKind {
    /// An address with a scheme.
    Url,
    /// Four numbers.
    Ipv4,
    /// A hidden service.
    Onion,
    /// The way to a mining pool.
    Pool,
    /// A wallet.
    Wallet,
}

impl IndicatorKind {
    /// Returns the noun.
    #[must_use]
    pub const fn noun(self) -> &'static str {
        match self {
            Self::Url => "URL",
            Self::Ipv4 => "IPv4 address",
            Self::Onion => "onion address",
            Self::Pool => "mining pool",
            Self::Wallet => "wallet",
        }
    }
}

/// An address in the data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Indicator {
    /// What it is.
    pub kind: IndicatorKind,
    /// Where, and what it says.
    pub text: Text,
}

/// A secret in the data. What it says is not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Secret {
    /// What it looks like.
    pub what: &'static str,
    /// Absolute offset.
    pub at: u32,
    /// The first characters, the rest masked.
    pub masked: String,
}

/// A file inside of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EmbeddedFile {
    /// Its format.
    pub format: &'static str,
    /// Whether files of the format hold code.
    pub is_code: bool,
    /// Absolute offset of its first byte.
    pub at: u32,
}

/// A segment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SegmentFacts {
    /// Index of the segment.
    pub index: u32,
    /// Absolute offset of its bytes.
    pub at: u32,
    /// Its length in bytes.
    pub len_bytes: u32,
    /// Entropy in bits a byte.
    pub entropy: f64,
    /// Whether a format that is known begins in it.
    pub has_known_format: bool,
}

/// What the data of a module says.
#[derive(Clone, Debug, Default)]
pub struct DataFacts {
    /// Texts of six characters and more, the first thousand.
    pub texts: Vec<Text>,
    /// How many texts there are.
    pub n_texts: u64,
    /// Addresses, without those of documentation.
    pub indicators: Vec<Indicator>,
    /// Secrets.
    pub secrets: Vec<Secret>,
    /// Files.
    pub files: Vec<EmbeddedFile>,
    /// Segments of 1,024 bytes and more.
    pub segments: Vec<SegmentFacts>,
    /// Bytes of all segments.
    pub len_bytes: u64,
    /// Algorithms whose tables are there.
    pub families: Vec<Family>,
    /// Words of miners.
    pub mining: Vec<Text>,
    /// Marks of allocators and runtimes, each once.
    pub marks: Vec<&'static str>,
}

impl DataFacts {
    /// Reads the segments of a module.
    #[must_use]
    pub fn of(module: &ValidModule) -> Self {
        let mut facts = Self::default();
        for (index, segment) in module.data.iter().enumerate() {
            let bytes = segment.span.of(module.bytes());
            facts.len_bytes += bytes.len() as u64;
            let n_files = facts.files.len();
            facts.read(bytes, segment.span.start);
            if bytes.len() >= 1024 && facts.segments.len() < KEPT {
                facts.segments.push(SegmentFacts {
                    index: u32::try_from(index).unwrap_or(u32::MAX),
                    at: segment.span.start,
                    len_bytes: segment.span.len_bytes(),
                    entropy: entropy(bytes),
                    has_known_format: facts.files.len() > n_files,
                });
            }
        }
        facts.marks.sort_unstable();
        facts.marks.dedup();
        facts.families.sort_unstable();
        facts.families.dedup();
        facts
    }

    fn read(&mut self, bytes: &[u8], start: u32) {
        self.read_texts(bytes, start);
        self.read_files(bytes, start);
        self.read_families(bytes);
        for (set, mark) in MARKS.iter().zip(MARK_NAMES) {
            if set.is_match(bytes) {
                self.marks.push(mark.0);
            }
        }
    }

    fn read_texts(&mut self, bytes: &[u8], start: u32) {
        let is_text = |byte: &u8| matches!(byte, b' '..=b'~' | b'\t');
        let mut at = 0;
        for run in bytes.chunk_by(|a, b| is_text(a) == is_text(b)) {
            let begin = at;
            at += run.len();
            if run.len() < MIN_TEXT || !run.first().is_some_and(is_text) {
                continue;
            }
            self.n_texts += 1;
            if self.texts.len() < KEPT {
                self.texts.push(text(run, start, begin));
            }
            self.read_text(run, start, begin);
        }
    }

    /// Looks for what has a form in a run of text.
    fn read_text(&mut self, run: &[u8], start: u32, begin: usize) {
        if run.len() >= SHORTEST_INDICATOR {
            self.read_indicators(run, start, begin);
        }
        if run.len() >= SHORTEST_SECRET {
            self.read_secrets(run, start, begin);
        }
        if let Some(found) = MINING.find(run)
            && self.mining.len() < KEPT
        {
            self.mining.push(text(found.as_bytes(), start, begin + found.start()));
        }
    }

    fn read_indicators(&mut self, run: &[u8], start: u32, begin: usize) {
        for which in INDICATOR_SET.matches(run) {
            let (kind, regex) = &INDICATORS[which];
            for found in regex.find_iter(run).take(KEPT) {
                if self.indicators.len() < KEPT && !is_documentation(found.as_bytes()) {
                    let text = text(found.as_bytes(), start, begin + found.start());
                    self.indicators.push(Indicator { kind: *kind, text });
                }
            }
        }
    }

    fn read_secrets(&mut self, run: &[u8], start: u32, begin: usize) {
        for which in SECRET_SET.matches(run) {
            let (what, regex) = &SECRETS[which];
            for found in regex.find_iter(run).take(16) {
                if self.secrets.len() < KEPT {
                    let at = offset(start, begin + found.start());
                    self.secrets.push(Secret { what, at, masked: masked(found.as_bytes()) });
                }
            }
        }
    }

    fn read_files(&mut self, bytes: &[u8], start: u32) {
        for found in MAGIC.find_iter(bytes).take(KEPT) {
            let magic = found.as_bytes();
            let Some(format) = FORMATS.iter().find(|format| magic.starts_with(format.magic)) else {
                continue;
            };
            let rest = &bytes[found.start()..];
            if self.files.len() < KEPT && (format.check)(rest) {
                let at = offset(start, found.start());
                self.files.push(EmbeddedFile { format: format.name, is_code: format.is_code, at });
            }
        }
    }

    fn read_families(&mut self, bytes: &[u8]) {
        for (family, table) in TABLES.iter() {
            if !self.families.contains(family) && table.is_match(bytes) {
                self.families.push(*family);
            }
        }
    }
}

fn offset(start: u32, at: usize) -> u32 {
    start.saturating_add(u32::try_from(at).unwrap_or(u32::MAX))
}

fn text(run: &[u8], start: u32, begin: usize) -> Text {
    let kept = &run[..run.len().min(TEXT)];
    Text { at: offset(start, begin), text: String::from_utf8_lossy(kept).into_owned() }
}

/// Keeps what says which kind of secret it is, and no more.
fn masked(secret: &[u8]) -> String {
    let shown: String = secret.iter().take(4).map(|byte| char::from(*byte)).collect();
    format!("{shown}… ({} characters)", secret.len())
}

/// Returns the entropy in bits a byte.
#[must_use]
pub fn entropy(bytes: &[u8]) -> f64 {
    let mut counts = [0_u32; 256];
    bytes.iter().for_each(|byte| counts[usize::from(*byte)] += 1);
    let len = bytes.len() as f64;
    let present = counts.iter().filter(|count| **count > 0);
    present.map(|count| f64::from(*count) / len).map(|share| -share * share.log2()).sum()
}

fn regex(pattern: &str) -> Regex {
    match Regex::new(&format!("(?-u){pattern}")) {
        Ok(regex) => regex,
        Err(error) => unreachable!("a pattern of ours is broken: {error}"),
    }
}

fn set<'p>(patterns: impl Iterator<Item = &'p str>) -> RegexSet {
    match RegexSet::new(patterns.map(|pattern| format!("(?-u){pattern}"))) {
        Ok(set) => set,
        Err(error) => unreachable!("a pattern of ours is broken: {error}"),
    }
}

/// Bytes of the shortest indicator and of the shortest secret. Most runs of text are shorter, and a look at them costs much.
const SHORTEST_INDICATOR: usize = "ws://test".len();
const SHORTEST_SECRET: usize = "AKIA0123456789ABCDEF".len();

const INDICATOR_PATTERNS: [(IndicatorKind, &str); 5] = [
    (IndicatorKind::Pool, r"stratum\+(?:tcp|ssl)://[!-~]{4,120}|wss?://[!-~]{3,80}/proxy"),
    (IndicatorKind::Url, r"(?:https?|wss?|ftp)://[A-Za-z0-9][!-~]{3,200}"),
    (IndicatorKind::Onion, r"[a-z2-7]{56}\.onion"),
    (IndicatorKind::Ipv4, r"\b(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d):\d{2,5}\b"),
    // A Monero address: 95 characters of base 58, the first two in a narrow range.
    (IndicatorKind::Wallet, r"\b4[0-9AB][1-9A-HJ-NP-Za-km-z]{93}\b"),
];

static INDICATORS: LazyLock<Vec<(IndicatorKind, Regex)>> =
    LazyLock::new(|| INDICATOR_PATTERNS.iter().map(|(kind, pattern)| (*kind, regex(pattern))).collect());
static INDICATOR_SET: LazyLock<RegexSet> =
    LazyLock::new(|| set(INDICATOR_PATTERNS.iter().map(|(_, pattern)| *pattern)));

/// Places that toolchains and libraries point to, which say nothing of what the module does.
fn is_documentation(address: &[u8]) -> bool {
    const HOSTS: [&str; 18] = [
        "github.com",
        "docs.rs",
        "rust-lang.org",
        "w3.org",
        "www.w3.org",
        "emscripten.org",
        "mozilla.org",
        "developer.mozilla.org",
        "golang.org",
        "go.dev",
        "llvm.org",
        "bugs.llvm.org",
        "crates.io",
        "unicode.org",
        "python.org",
        "php.net",
        "gnu.org",
        "example.com",
    ];
    let Ok(text) = std::str::from_utf8(address) else { return false };
    let Some((_, rest)) = text.split_once("://") else { return false };
    let host = rest.split(['/', ':', '?', '#', '"', '\'', ')', '>']).next().unwrap_or_default();
    let host = host.strip_prefix("www.").unwrap_or(host);
    HOSTS.iter().any(|known| host == *known || host.ends_with(&format!(".{known}")))
}

const SECRET_PATTERNS: [(&str, &str); 7] = [
    (
        "a private key",
        r"-----BEGIN (?:RSA |EC |DSA |OPENSSH |ENCRYPTED )?PRIVATE KEY-----[A-Za-z0-9+/=\\nr]{40}",
    ),
    ("an AWS access key", r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
    ("a GitHub token", r"\b(?:ghp|gho|ghu|ghs|ghr)_[0-9A-Za-z]{36}\b|\bgithub_pat_[0-9A-Za-z_]{60,90}\b"),
    ("a Google API key", r"\bAIza[0-9A-Za-z_\-]{35}\b"),
    ("a Slack token", r"\bxox[baprs]-[0-9A-Za-z\-]{20,80}\b"),
    ("a Stripe key", r"\b[rs]k_live_[0-9A-Za-z]{24,99}\b"),
    ("a JSON web token", r"\beyJ[0-9A-Za-z_\-]{16,}\.eyJ[0-9A-Za-z_\-]{16,}\.[0-9A-Za-z_\-]{16,}"),
];

static SECRETS: LazyLock<Vec<(&'static str, Regex)>> =
    LazyLock::new(|| SECRET_PATTERNS.iter().map(|(what, pattern)| (*what, regex(pattern))).collect());
static SECRET_SET: LazyLock<RegexSet> =
    LazyLock::new(|| set(SECRET_PATTERNS.iter().map(|(_, pattern)| *pattern)));

/// Names of miners that were seen in the wild.
const MINING_WORDS: &str =
    r"(?i)cryptonight|_hash_cn\b|_loot_cn\b|\bstratum\+|coinhive|\bxmrig\b|randomx_|\bmonero\b|cn_slow_hash";
static MINING: LazyLock<Regex> = LazyLock::new(|| regex(MINING_WORDS));

/// Returns whether a name is one of a miner.
#[must_use]
pub fn is_mining_word(name: &str) -> bool {
    MINING.is_match(name.as_bytes())
}

/// Marks of allocators and runtimes in data; behind each name what finds it.
const MARK_NAMES: [(&str, &str); 9] = [
    ("dlmalloc", r"max system bytes = "),
    ("Rust", r"/rustc/[0-9a-f]{40}/|called `Option::unwrap\(\)`|panicked at "),
    ("C++", r"NSt3__2|std::bad_alloc"),
    ("Go", r"runtime: goroutine|runtime\.mallocgc|Go buildinf:"),
    ("AssemblyScript", r"~\x00l\x00i\x00b\x00/\x00r\x00t\x00"),
    ("Boehm GC", r"GC_(?:malloc|INITIAL_HEAP_SIZE)"),
    ("TinyGo", r"tinygo"),
    ("Zig", r"reached unreachable code|attempt to use null value"),
    ("Emscripten", r"emscripten"),
];
static MARKS: LazyLock<Vec<Regex>> =
    LazyLock::new(|| MARK_NAMES.iter().map(|(_, pattern)| regex(pattern)).collect());

/// A format of files, by its first bytes and by what must follow them.
struct Format {
    name: &'static str,
    magic: &'static [u8],
    is_code: bool,
    check: fn(&[u8]) -> bool,
}

const FORMATS: [Format; 9] = [
    Format {
        name: "WebAssembly",
        magic: b"\0asm",
        is_code: true,
        check: |bytes| bytes.get(4..8) == Some(&[1, 0, 0, 0]),
    },
    Format { name: "ELF", magic: b"\x7fELF", is_code: true, check: is_elf },
    Format { name: "PE", magic: b"MZ", is_code: true, check: is_pe },
    Format { name: "Mach-O", magic: b"\xcf\xfa\xed\xfe", is_code: true, check: |bytes| bytes.len() > 32 },
    Format { name: "zip", magic: b"PK\x03\x04", is_code: false, check: |bytes| bytes.len() > 30 },
    Format { name: "gzip", magic: b"\x1f\x8b\x08", is_code: false, check: is_gzip },
    Format { name: "PNG", magic: b"\x89PNG\r\n\x1a\n", is_code: false, check: |bytes| bytes.len() > 33 },
    Format { name: "Zstandard", magic: b"\x28\xb5\x2f\xfd", is_code: false, check: |bytes| bytes.len() > 12 },
    Format { name: "xz", magic: b"\xfd7zXZ\0", is_code: false, check: |bytes| bytes.len() > 24 },
];

static MAGIC: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"\x00asm|\x7fELF|MZ|\xcf\xfa\xed\xfe|PK\x03\x04|\x1f\x8b\x08|\x89PNG\r\n\x1a\n|\x28\xb5\x2f\xfd|\xfd7zXZ\x00",
    )
});

/// A header has its own length in a field, and a machine that is not none.
fn is_elf(bytes: &[u8]) -> bool {
    let class = bytes.get(4).copied();
    matches!(class, Some(1 | 2))
        && matches!(bytes.get(5), Some(1 | 2))
        && bytes.get(6) == Some(&1)
        && bytes.len() > 52
}

/// The header's last field says where the PE signature stands.
fn is_pe(bytes: &[u8]) -> bool {
    let Some(at) = bytes.get(0x3c..0x40).and_then(|field| <[u8; 4]>::try_from(field).ok()) else {
        return false;
    };
    let at = u32::from_le_bytes(at) as usize;
    at < 4096 && bytes.get(at..at + 4) == Some(b"PE\0\0")
}

/// No reserved flag, and a system that exists.
fn is_gzip(bytes: &[u8]) -> bool {
    bytes.get(3).is_some_and(|flags| flags & 0xe0 == 0)
        && bytes.get(9).is_some_and(|os| *os <= 13 || *os == 255)
        && bytes.len() > 18
}

/// First bytes of the S-box of AES, and of its first round table in both byte orders (FIPS 197).
const AES_SBOX: [u8; 16] =
    [0x63, 0x7c, 0x77, 0x7b, 0xf2, 0x6b, 0x6f, 0xc5, 0x30, 0x01, 0x67, 0x2b, 0xfe, 0xd7, 0xab, 0x76];
const AES_TABLE: [u8; 8] = [0xa5, 0x63, 0x63, 0xc6, 0x84, 0x7c, 0x7c, 0xf8];

static TABLES: LazyLock<Vec<(Family, Regex)>> = LazyLock::new(|| {
    let words =
        |words: &[u32]| -> Vec<u8> { words.iter().take(4).flat_map(|word| word.to_le_bytes()).collect() };
    let keccak: Vec<u8> = KECCAK_RC.iter().take(3).flat_map(|word| word.to_le_bytes()).collect();
    let tables = [
        (Family::Aes, AES_SBOX.to_vec()),
        (Family::Aes, AES_TABLE.to_vec()),
        (Family::Sha256, words(&SHA256_K)),
        (Family::Blake256, words(&BLAKE256_C)),
        (Family::Keccak, keccak),
    ];
    let pattern = |bytes: &[u8]| bytes.iter().map(|byte| format!("\\x{byte:02x}")).collect::<String>();
    tables.iter().map(|(family, bytes)| (*family, regex(&pattern(bytes)))).collect()
});

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(bytes: &[u8]) -> DataFacts {
        let mut facts = DataFacts::default();
        facts.read(bytes, 100);
        facts
    }

    #[test]
    fn addresses_are_found_and_those_of_documentation_are_not() {
        let bytes = b"\0\0see https://evil.test/a?b and https://docs.rs/x\0\x01stratum+tcp://pool.test:3333\0 10.1.2.3:8080 1.2.3\0";
        let found: Vec<_> =
            facts(bytes).indicators.into_iter().map(|it| (it.kind, it.text.at, it.text.text)).collect();
        assert_eq!(
            found,
            [
                (IndicatorKind::Url, 106, "https://evil.test/a?b".to_owned()),
                (IndicatorKind::Pool, 151, "stratum+tcp://pool.test:3333".to_owned()),
                (IndicatorKind::Ipv4, 181, "10.1.2.3:8080".to_owned()),
            ]
        );
    }

    #[test]
    fn the_shortest_indicators_and_secrets_are_found() {
        for shortest in ["ws://test", "1.1.1.1:10", "wss://a.b/proxy"] {
            assert!(!facts(shortest.as_bytes()).indicators.is_empty(), "{shortest}");
            assert!(shortest.len() >= SHORTEST_INDICATOR);
        }
        assert!(facts(b"ws://tes").indicators.is_empty());
        let secret = b"AKIAABCDEFGHIJKLMNOP";
        assert_eq!((facts(secret).secrets.len(), secret.len()), (1, SHORTEST_SECRET));
        assert!(facts(&secret[1..]).secrets.is_empty());
    }

    #[test]
    fn a_secret_is_found_and_never_kept() {
        let found = facts(b"xx AKIAABCDEFGHIJKLMNOP yy AKIAABC zz").secrets;
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].what, &*found[0].masked), ("an AWS access key", "AKIA… (20 characters)"));
    }

    #[test]
    fn a_file_is_more_than_its_first_bytes() {
        let mut bytes = b"MZ not a program ".to_vec();
        bytes.extend(b"\0asm\x01\0\0\0");
        bytes.extend(b"\x1f\x8b\x08\0\0\0\0\0\0\x03 and more of it");
        let formats: Vec<_> = facts(&bytes).files.iter().map(|file| (file.format, file.at)).collect();
        assert_eq!(formats, [("WebAssembly", 117), ("gzip", 125)]);
    }

    #[test]
    fn entropy_is_in_bits_a_byte() {
        let all: Vec<u8> = (0..=255).collect();
        assert!((entropy(&all) - 8.0).abs() < 1e-9 && entropy(&[7; 100]).abs() < 1e-9);
        assert!((entropy(b"abababab") - 1.0).abs() < 1e-9);
    }

    #[test]
    fn tables_of_algorithms_are_known_by_their_first_bytes() {
        assert_eq!(facts(&AES_SBOX).families, [Family::Aes]);
        assert!(facts(&AES_SBOX[..15]).families.is_empty());
        let bytes: Vec<u8> = SHA256_K.iter().flat_map(|word| word.to_le_bytes()).collect();
        assert_eq!(facts(&bytes).families, [Family::Sha256]);
    }

    #[test]
    fn words_of_miners_are_found_in_data_and_names() {
        assert_eq!(facts(b"\0int cryptonight_hash(\0").mining.len(), 1);
        assert!(is_mining_word("_hash_cn") && !is_mining_word("hash_cncl"));
    }
}
