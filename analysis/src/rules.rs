//! The rules, one row each: what they say, how bad that is, what to do. A rule is a few lines over the facts; it computes
//! none of its own.
//!
//! Ids and thresholds are starting points measured on published modules and on miners; the corpus figures beside the project
//! keep them honest. W is work for others, C code that hides, I imports, L resources, D data, X names and sections, M
//! posture.

mod code;
mod data;
mod imports;
mod loops;
mod posture;
mod work;

use crate::facts::Facts;
use crate::finding::{Category, Confidence, Finding, Grade, Place};
use crate::policy::Policy;

/// Findings of one rule that are kept; a last one says how many more there are.
const KEPT: usize = 20;

/// A rule.
#[derive(Debug)]
pub struct Rule {
    /// Its id, which never changes its meaning.
    pub id: &'static str,
    /// What it is about.
    pub category: Category,
    /// The strongest grade that it gives.
    pub grade: Grade,
    /// Points at that grade, when it is sure.
    pub weight: u32,
    /// Its name.
    pub title: &'static str,
    /// What it means when it fires.
    pub sentence: &'static str,
    /// What to do then.
    pub advice: &'static str,
    /// What would take its points away.
    pub remedy: &'static str,
    /// Techniques of MITRE ATT&CK.
    pub attack: &'static [&'static str],
    find: fn(&Facts<'_>, &Policy, &mut Found),
}

/// What a rule has found so far.
#[derive(Debug, Default)]
pub(crate) struct Found {
    findings: Vec<(Grade, Confidence, Place, String, Vec<String>)>,
    n_more: usize,
}

impl Found {
    pub(crate) fn add(
        &mut self,
        grade: Grade,
        confidence: Confidence,
        place: Place,
        message: impl Into<String>,
        evidence: Vec<String>,
    ) {
        if self.findings.len() >= KEPT {
            self.n_more += 1;
            return;
        }
        self.findings.push((grade, confidence, place, message.into(), evidence));
    }
}

macro_rules! rules {
    ($($id:ident $category:ident $grade:ident $weight:literal [$($attack:literal)*] $find:path,
        $title:literal, $sentence:literal, $advice:literal, $remedy:literal;)*) => {
        /// Every rule, in the order of reports.
        pub static RULES: &[Rule] = &[$(Rule {
            id: stringify!($id),
            category: Category::$category,
            grade: Grade::$grade,
            weight: $weight,
            title: $title,
            sentence: $sentence,
            advice: $advice,
            remedy: $remedy,
            attack: &[$($attack),*],
            find: $find,
        }),*];
    };
}

rules! {
    W001 Miner Severe 40 ["T1496"] work::proof_of_work, "proof-of-work kernel",
        "The code that can run looks like the inside of a proof of work.",
        "Run it only if mining is what it is for, and under a fuel limit.",
        "no scratch-pad mask, fewer algorithms' constants, less xor and shifting in code that can run";
    W003 Miner Info 5 ["T1496"] work::block_loop, "hash-each-block loop",
        "A loop takes a fixed block of its input in each round, as hash functions do.",
        "Expected in hash libraries and ciphers.",
        "no loop that subtracts a hash's block size from a length it tests";
    W005 Miner Info 3 [] work::unrolled, "unrolled rounds",
        "Code repeats itself instruction by instruction, with shifts or xor in it.",
        "Expected in codecs and ciphers.",
        "no sequence of instructions that repeats eight times and more";
    W006 Miner Warning 10 ["T1496"] work::vocabulary, "mining vocabulary",
        "Names or data use the words of miners.",
        "Look at what the words stand beside; that there are none would prove nothing.",
        "no such words in names, exports, imports and data";
    L001 Resources Warning 8 ["T1499"] loops::endless, "loop without exit",
        "A loop that nothing leaves: whoever comes there stays.",
        "Run it under a fuel limit or a deadline.",
        "an exit from the loop, or no way into it";
    L002 Resources Info 3 [] loops::host_decides, "exit depends on the host",
        "A loop ends only when the host says so.",
        "Run it under a fuel limit or a deadline.",
        "an exit that the module's own values decide";
    L003 Resources Warning 12 ["T1499"] loops::growth, "memory grows in a loop",
        "`memory.grow` stands in a loop.",
        "Run it with a cap on memory.",
        "growth outside of loops";
    L004 Resources Info 0 [] loops::no_maximum, "memory without maximum",
        "A memory has no maximum of its own, or begins large.",
        "Run it with a cap on memory.",
        "a maximum in the memory's type";
    L005 Resources Warning 6 ["T1499"] loops::host_calls, "host call in a loop",
        "A loop for which no bound is known calls functions of the host that write, send or start something.",
        "Run it with a quota of host calls.",
        "a bound on the loop";
    L006 Resources Info 3 [] loops::recursion, "recursion",
        "Functions may call themselves, directly or through others.",
        "Run it with a limit on the depth of calls.",
        "no cycle among calls";
    L007 Resources Warning 8 ["T1499"] loops::bound, "bound of fuel above the policy",
        "A function that the host can call is proved to stop, but maybe only after more fuel than the policy allows.",
        "Run it under a fuel limit.",
        "fewer rounds, or a policy that allows them";
    L008 Resources Warning 8 ["T1499"] loops::isolation, "host resources in a loop",
        "A loop for which no bound is known asks the host for files, random bytes, waits or yields.",
        "Run it with a quota of host calls.",
        "a bound on the loop";
    C001 Obfuscation Warning 2 ["T1574"] code::host_table, "the host can redirect indirect calls",
        "A table of functions is imported or exported, and the module calls through it.",
        "Give the table to no other module.",
        "a table that stays inside";
    C002 Obfuscation Warning 15 ["T1027"] code::constant_indices, "indirect calls of constant index",
        "Many indirect calls have a constant index: a compiler would have made them direct.",
        "Read the resolved edges of the call graph.",
        "direct calls";
    C003 Obfuscation Warning 8 ["T1574"] code::table_writes, "the module writes its table of functions",
        "What an indirect call reaches changes while the module runs.",
        "Follow the writes in the call graph.",
        "no writes to tables of functions";
    C004 Posture Info 1 [] code::classes, "indirect calls are checked by type alone",
        "Each indirect call reaches every entry of its type.",
        "Nothing to do: this is how WebAssembly is; the figure says how much it protects.",
        "fewer functions of one type in tables";
    C005 Obfuscation Info 5 ["T1059"] code::interpreter, "bytecode interpreter",
        "It embeds an interpreter: what is said here covers the interpreter, not the programs that it runs.",
        "Judge the programs that it is given.",
        "no dispatch over bytes of memory";
    C006 Obfuscation Warning 12 ["T1027"] code::flattened, "flattened control flow",
        "A function goes round one loop by a local that is assigned constants: its order is hidden.",
        "Compare with a build that is not obfuscated.",
        "structured control flow";
    C007 Obfuscation Warning 8 ["T1027"] code::opaque, "opaque predicates",
        "A function has many conditions that are always the same.",
        "Read it with those branches folded.",
        "conditions that decide something";
    C008 Obfuscation Info 2 ["T1027"] code::dead, "code that cannot run",
        "Functions that nothing can reach. They are left out of every figure here.",
        "Remove them.",
        "no function that cannot be reached";
    C009 Obfuscation Warning 15 ["T1027"] code::masked_memory, "memory behind a mask",
        "Nearly all accesses to memory go through short functions that mix a global into them.",
        "Read what the global holds.",
        "accesses without a mask";
    C010 Obfuscation Info 4 ["T1027"] code::stack_strings, "text put together on the stack",
        "Text is stored constant by constant instead of standing in the data.",
        "Read the text.",
        "text in data segments";
    C011 Obfuscation Info 0 [] code::minified, "minified interface",
        "The names of imports are too short to say anything: what is said of imports is less sure.",
        "Read the loader that comes with it.",
        "names that say something";
    I001 Capability Severe 15 ["T1059.007"] imports::eval, "runs text as code of the host",
        "It can have the host run text as code, or call whatever the host's language can reach.",
        "Withhold the import, or see what is passed to it.",
        "no such import that code can reach";
    I002 Capability Severe 12 ["T1129"] imports::dynamic_code, "loads code at run time",
        "It can load code that was not looked at here.",
        "Withhold the import, or look at what is loaded.",
        "no such import that code can reach";
    I003 Capability Warning 10 ["T1071"] imports::network, "network",
        "It can talk to other machines.",
        "Grant it the hosts that it needs, and no others.",
        "no such import that code can reach";
    I004 Capability Warning 6 ["T1565"] imports::file_write, "changes files",
        "It can create, change or remove files.",
        "Give it a directory of its own, or an overlay.",
        "no such import that code can reach";
    I005 Capability Severe 12 ["T1106"] imports::process, "processes",
        "It can start, signal or inspect processes.",
        "Withhold the import.",
        "no such import that code can reach";
    I006 Capability Warning 6 [] imports::unknown, "unknown host interface",
        "It asks the host for functions of which nothing is known.",
        "See what the embedder lets them do, and allow them in a policy.",
        "imports that are known, or allowed by the policy";
    M001 Posture Info 1 [] posture::stack_pointer, "stack in linear memory",
        "A global is the pointer of a stack in memory, where no guard page stands.",
        "Nothing to do: this is how compilers work; overflows stay unseen.",
        "no stack in memory";
    M002 Posture Info 1 [] posture::no_canary, "no stack protection",
        "Functions keep arrays on the stack in memory, and none checks a canary.",
        "Build with -fstack-protector.",
        "a canary";
    M003 Posture Info 1 [] posture::writable_constants, "constants can be overwritten",
        "Text that reaches code or paths of the host lies in memory that every store can change.",
        "Nothing to do: WebAssembly has no memory for reading only.",
        "no import that runs text or opens paths";
    M004 Posture Info 1 [] posture::exported_state, "inner state is exported",
        "The host can change the stack pointer or the table of functions.",
        "Export them only to a loader that needs them.",
        "no such export";
    M005 Posture Info 1 [] posture::allocator, "allocator without hardening",
        "Its allocator keeps its data beside the blocks, where an overflow reaches it.",
        "Build with an allocator that checks its data.",
        "a hardened allocator";
    M006 Posture Warning 1 ["T1203"] posture::dangerous_functions, "functions that cannot be used safely",
        "It calls functions of the C library that write without a bound, or take a format that is not constant.",
        "Replace them by their bounded kin.",
        "no such calls";
    M007 Posture Warning 1 ["T1203"] posture::tainted_index, "index of a table from outside",
        "An argument or a result of the host indexes a table of functions, unchecked.",
        "Check the index before the call.",
        "a mask or a comparison before the call";
    D001 Data Warning 12 ["T1552.001"] data::secrets, "secrets",
        "Data has the form of a key or a token.",
        "Withdraw it: who has the module has it too.",
        "no secrets in the module";
    D002 Data Info 2 ["T1071"] data::indicators, "network indicators",
        "Data has addresses of other machines.",
        "See whether they are expected.",
        "no addresses in data";
    D003 Data Warning 12 ["T1027.009"] data::packed, "packed payload",
        "Data looks encrypted or compressed, has no known format, and a loop decodes bytes.",
        "Run it in the sandbox and look at what it unpacks.",
        "data that is not packed";
    D004 Data Warning 8 ["T1027.009"] data::embedded, "embedded file",
        "Data holds a file of a known format.",
        "Take it out and judge it too.",
        "no files in data";
    X001 Data Info 2 [] data::odd_sections, "odd sections",
        "Something is broken or stands twice without making the module invalid.",
        "Ask who made it.",
        "a module as toolchains write it";
    X002 Data Info 3 ["T1036"] data::mismatch, "identity mismatch",
        "What it says of its language is not what its content says.",
        "Ask who made it.",
        "a producers section that agrees with the content";
    X003 Data Warning 8 ["T1036"] data::lies, "names that lie",
        "Names have characters that cannot be seen, or pretend to be a system call.",
        "Trust no name of it.",
        "names without hidden characters";
    X004 Data Info 0 [] data::debug_info, "debug information",
        "It carries names or debug information.",
        "Strip it before publishing, if paths are nobody's business.",
        "a stripped module";
}

/// Asks every rule that the policy leaves on; the findings stand in the order of the rules.
#[must_use]
pub fn ask(facts: &Facts<'_>, policy: &Policy) -> Vec<Finding> {
    RULES.iter().filter(|rule| policy.is_on(rule.id)).flat_map(|rule| ask_one(rule, facts, policy)).collect()
}

fn ask_one(rule: &Rule, facts: &Facts<'_>, policy: &Policy) -> Vec<Finding> {
    let mut found = Found::default();
    (rule.find)(facts, policy, &mut found);
    let n_more = found.n_more;
    let mut findings: Vec<Finding> = found
        .findings
        .into_iter()
        .map(|(grade, confidence, place, message, evidence)| {
            let grade = regraded(rule, policy, grade);
            Finding {
                rule: rule.id,
                grade,
                confidence,
                message,
                place,
                source: None,
                evidence,
                n_more: 0,
                remedy: rule.remedy,
                points: 0,
            }
        })
        .collect();
    if let Some(last) = findings.last_mut()
        && n_more > 0
    {
        last.evidence.push(format!("and {n_more} more places like this"));
        last.n_more = u32::try_from(n_more).unwrap_or(u32::MAX);
    }
    // A rule gives its points once, to what is worst.
    let worst = (0..findings.len()).max_by_key(|at| {
        let finding = &findings[*at];
        (finding.grade, finding.confidence, usize::MAX - at)
    });
    if let Some(worst) = worst {
        findings[worst].points = points(rule, &findings[worst]);
    }
    findings
}

/// A policy may set another strongest grade; what is weaker already moves with it, no stronger.
fn regraded(rule: &Rule, policy: &Policy, grade: Grade) -> Grade {
    match policy.grades.get(rule.id) {
        Some(strongest) if grade == rule.grade => *strongest,
        Some(strongest) => grade.min(*strongest),
        None => grade,
    }
}

/// A quarter of the weight for each step below the rule's strongest grade, so that a pile of remarks rejects nothing.
fn points(rule: &Rule, finding: &Finding) -> u32 {
    let steps = (rule.grade as u32).saturating_sub(finding.grade as u32);
    (rule.weight * finding.confidence.tenths() / 10) >> (2 * steps)
}
