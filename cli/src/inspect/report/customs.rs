//! What the custom sections of a module say.

use serde::Serialize;
use wasmos_frontend::Module;
use wasmos_frontend::custom::Custom;
use wasmos_frontend::module::Name;

/// What the custom sections say; of several of a kind the last one counts, but fields of producers add up.
#[derive(Default, Serialize)]
pub(crate) struct Customs<'a> {
    pub(crate) customs: Vec<CustomSection<'a>>,
    pub(crate) producers: Vec<Producers<'a>>,
    pub(crate) target_features: Vec<TargetFeature<'a>>,
    pub(crate) dylink: Option<Dylink<'a>>,
    pub(crate) source_mapping_url: Option<&'a str>,
    pub(crate) branch_hints: Option<usize>,
}

#[derive(Serialize)]
pub(crate) struct CustomSection<'a> {
    pub(crate) name: &'a str,
    pub(crate) offset: u32,
    pub(crate) content_bytes: u32,
}

#[derive(Serialize)]
pub(crate) struct Producers<'a> {
    pub(crate) field: &'a str,
    pub(crate) values: Vec<Producer<'a>>,
}

#[derive(Serialize)]
pub(crate) struct Producer<'a> {
    pub(crate) name: &'a str,
    pub(crate) version: &'a str,
}

#[derive(Serialize)]
pub(crate) struct TargetFeature<'a> {
    pub(crate) prefix: char,
    pub(crate) name: &'a str,
}

#[derive(Serialize)]
pub(crate) struct Dylink<'a> {
    pub(crate) memory_bytes: Option<u32>,
    pub(crate) memory_align_log2: Option<u32>,
    pub(crate) table_slots: Option<u32>,
    pub(crate) table_align_log2: Option<u32>,
    pub(crate) needed: Vec<&'a str>,
}

impl<'a> Customs<'a> {
    pub(super) fn new(module: &'a Module) -> Self {
        let mut customs = Self::default();
        for section in &module.customs {
            customs.customs.push(CustomSection {
                name: module.text(section.name),
                offset: section.offset,
                content_bytes: section.content.len_bytes(),
            });
            customs.add(module, module.custom(section));
        }
        customs
    }

    fn add(&mut self, module: &'a Module, custom: Custom) {
        let text = |name: &Name| module.text(*name);
        match custom {
            Custom::Producers(fields) => self.producers.extend(fields.iter().map(|field| {
                Producers {
                    field: text(&field.name),
                    values: (field.values.iter())
                        .map(|(name, version)| Producer { name: text(name), version: text(version) })
                        .collect(),
                }
            })),
            Custom::TargetFeatures(features) => {
                let one = |feature: &wasmos_frontend::custom::TargetFeature| TargetFeature {
                    prefix: char::from(feature.prefix),
                    name: text(&feature.name),
                };
                self.target_features = features.iter().map(one).collect();
            }
            Custom::Dylink(dylink) => {
                let memory = dylink.memory;
                self.dylink = Some(Dylink {
                    memory_bytes: memory.map(|memory| memory[0]),
                    memory_align_log2: memory.map(|memory| memory[1]),
                    table_slots: memory.map(|memory| memory[2]),
                    table_align_log2: memory.map(|memory| memory[3]),
                    needed: dylink.needed.iter().map(text).collect(),
                });
            }
            Custom::SourceMappingUrl(url) => self.source_mapping_url = Some(module.text(url)),
            Custom::BranchHints(hints) => self.branch_hints = Some(hints.len()),
            Custom::Name | Custom::Debug | Custom::Dependencies | Custom::Unknown | Custom::Broken(_) => {}
        }
    }
}

#[derive(Serialize)]
pub(crate) struct NameCounts<'a> {
    pub(crate) module: Option<&'a str>,
    pub(crate) functions: usize,
    pub(crate) locals: usize,
    pub(crate) labels: usize,
    pub(crate) types: usize,
    pub(crate) tables: usize,
    pub(crate) memories: usize,
    pub(crate) globals: usize,
    pub(crate) elements: usize,
    pub(crate) data: usize,
    pub(crate) fields: usize,
    pub(crate) tags: usize,
}

impl<'a> NameCounts<'a> {
    pub(super) fn new(module: &'a Module) -> Option<Self> {
        module.customs_named("name").next()?;
        let names = module.names();
        Some(Self {
            module: names.module.map(|name| module.text(name)),
            functions: names.funcs.len(),
            locals: names.locals.len(),
            labels: names.labels.len(),
            types: names.types.len(),
            tables: names.tables.len(),
            memories: names.memories.len(),
            globals: names.globals.len(),
            elements: names.elements.len(),
            data: names.data.len(),
            fields: names.fields.len(),
            tags: names.tags.len(),
        })
    }
}

#[derive(Serialize)]
pub(crate) struct Warning {
    pub(crate) message: &'static str,
    pub(crate) offset: u32,
}

pub(super) fn warnings(module: &Module) -> Vec<Warning> {
    let warnings = module.warnings();
    warnings.iter().map(|warning| Warning { message: warning.what, offset: warning.offset }).collect()
}
