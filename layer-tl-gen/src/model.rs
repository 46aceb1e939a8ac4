//! The definitions made ready for writing: every type resolved, every name in Rust, grouped by namespace.

use std::collections::{BTreeMap, HashMap, HashSet};

use layer_tl_parser::{Category, Definition, ParamKind, Type};

use crate::error::GenError;
use crate::names;

/// A type of a field, resolved.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Ty {
    Int,
    Long,
    Double,
    Str,
    Bytes,
    Int128,
    Int256,
    Bool,
    /// The flag bit is the value.
    True,
    /// A vector with its id, or without.
    Vector {
        boxed: bool,
        item: Box<Ty>,
    },
    /// An index into [`Model::enums`].
    Enum(usize),
    /// An index into [`Model::structs`].
    Struct(usize),
    /// A type parameter of the definition.
    Param(String),
}

pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) ty: Ty,
    /// The flag word (an index into `Struct::flag_words`) and the bit.
    pub(crate) flag: Option<(usize, u8)>,
}

/// What is on the wire, in order.
pub(crate) enum Step {
    FlagWord(usize),
    Field(usize),
}

pub(crate) struct Struct<'a> {
    pub(crate) def: &'a Definition,
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) fields: Vec<Field>,
    pub(crate) flag_words: Vec<String>,
    pub(crate) steps: Vec<Step>,
    pub(crate) type_params: Vec<String>,
    /// The result of a function.
    pub(crate) result: Option<Ty>,
}

pub(crate) struct Enum {
    pub(crate) tl_name: String,
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) variants: Vec<Variant>,
}

pub(crate) struct Variant {
    pub(crate) name: String,
    /// An index into [`Model::structs`].
    pub(crate) of: usize,
}

pub(crate) struct Model<'a> {
    /// Constructors, in the schema's order.
    pub(crate) structs: Vec<Struct<'a>>,
    pub(crate) enums: Vec<Enum>,
    pub(crate) functions: Vec<Struct<'a>>,
}

/// What the runtime brings along: no code is generated for these.
fn is_core(def: &Definition) -> bool {
    def.builtin
        || (def.category == Category::Type
            && matches!(def.ty.full_name().as_str(), "Bool" | "Vector"))
        || matches!(def.full_name().as_str(), "int128" | "int256")
}

fn namespace_of(parts: &[String]) -> String {
    parts
        .iter()
        .map(|p| names::field_name(p))
        .collect::<Vec<_>>()
        .join("::")
}

impl<'a> Model<'a> {
    pub(crate) fn new(definitions: &'a [Definition]) -> Result<Self, GenError> {
        let mut model = Self {
            structs: Vec::new(),
            enums: Vec::new(),
            functions: Vec::new(),
        };
        let mut ids: HashMap<u32, &Definition> = HashMap::new();
        let mut enum_index: HashMap<String, usize> = HashMap::new();
        let mut struct_index: HashMap<String, usize> = HashMap::new();
        let mut paths: HashSet<(Category, String, String)> = HashSet::new();
        let mut variants: HashSet<(usize, String)> = HashSet::new();

        // Names first, as definitions may use what stands after them.
        for def in definitions.iter().filter(|d| !is_core(d)) {
            if let Some(other) = ids.insert(def.id, def) {
                let problem = format!(
                    "has the id #{:08x}, which `{}` has already",
                    def.id,
                    other.full_name()
                );
                return Err(GenError::new(def, problem));
            }
            let namespace = namespace_of(&def.namespace);
            let name = names::type_name(&def.name);
            if !paths.insert((def.category, namespace.clone(), name.clone())) {
                return Err(GenError::new(
                    def,
                    format!("would be a second `{name}` in Rust"),
                ));
            }
            let new = Struct {
                def,
                namespace,
                name,
                fields: Vec::new(),
                flag_words: Vec::new(),
                steps: Vec::new(),
                type_params: def.type_params.iter().map(|p| p.name.clone()).collect(),
                result: None,
            };
            if def.category == Category::Function {
                model.functions.push(new);
                continue;
            }
            if !def.type_params.is_empty() {
                return Err(GenError::new(
                    def,
                    "is a generic constructor, which only `vector` may be".to_owned(),
                ));
            }
            let of = model.structs.len();
            let tl_name = def.ty.full_name();
            struct_index.insert(def.full_name(), of);
            let index = *enum_index.entry(tl_name.clone()).or_insert_with(|| {
                model.enums.push(Enum {
                    tl_name,
                    namespace: namespace_of(&def.ty.namespace),
                    name: names::type_name(&def.ty.name),
                    variants: Vec::new(),
                });
                model.enums.len() - 1
            });
            let name = names::variant_name(&def.name, &def.ty.name);
            if !variants.insert((index, name.clone())) {
                let problem = format!("would be a second variant `{name}` of its type in Rust");
                return Err(GenError::new(def, problem));
            }
            model.enums[index].variants.push(Variant { name, of });
            model.structs.push(new);
        }
        let mut enum_paths = HashSet::new();
        for e in &model.enums {
            if !enum_paths.insert((&e.namespace, &e.name)) {
                let def = model.structs[e.variants[0].of].def;
                return Err(GenError::new(
                    def,
                    format!("its type would be a second enum `{}` in Rust", e.name),
                ));
            }
        }

        let resolver = Resolver {
            enums: &enum_index,
            structs: &struct_index,
        };
        for s in &mut model.structs {
            resolver.fill(s)?;
        }
        for s in &mut model.functions {
            resolver.fill(s)?;
            s.result = Some(resolver.ty(s.def, &s.def.ty)?);
        }
        Ok(model)
    }

    pub(crate) fn struct_index(&self, s: &Struct<'_>) -> Option<usize> {
        self.structs.iter().position(|other| std::ptr::eq(other, s))
    }

    /// Indices into `list`, by namespace, both in alphabetical order.
    pub(crate) fn by_namespace<T>(
        list: &[T],
        key: impl Fn(&T) -> (&str, &str),
    ) -> BTreeMap<&str, BTreeMap<&str, usize>> {
        let mut groups: BTreeMap<&str, BTreeMap<&str, usize>> = BTreeMap::new();
        for (i, item) in list.iter().enumerate() {
            let (namespace, name) = key(item);
            groups.entry(namespace).or_default().insert(name, i);
        }
        groups
    }
}

struct Resolver<'m> {
    enums: &'m HashMap<String, usize>,
    structs: &'m HashMap<String, usize>,
}

impl Resolver<'_> {
    fn fill(&self, s: &mut Struct<'_>) -> Result<(), GenError> {
        let mut names_taken = HashSet::new();
        for param in &s.def.params {
            let Some(tl_name) = &param.name else {
                return Err(GenError::new(
                    s.def,
                    format!("has the parameter `{param}` without a name"),
                ));
            };
            match &param.kind {
                ParamKind::Flags => {
                    s.steps.push(Step::FlagWord(s.flag_words.len()));
                    s.flag_words.push(tl_name.clone());
                }
                ParamKind::Value { flag, ty } => {
                    let flag = match flag {
                        None => None,
                        // The last word of that name before it.
                        Some(flag) => match s.flag_words.iter().rposition(|w| *w == flag.name) {
                            Some(word) => Some((word, flag.bit)),
                            None => {
                                let problem =
                                    format!("uses `{}`, which does not stand before", flag.name);
                                return Err(GenError::new(s.def, problem));
                            }
                        },
                    };
                    let ty = if ty.name == "true" && ty.namespace.is_empty() {
                        if flag.is_none() {
                            let problem =
                                format!("`{tl_name}:true` needs a flag, as `flags.0?true`");
                            return Err(GenError::new(s.def, problem));
                        }
                        Ty::True
                    } else {
                        self.ty(s.def, ty)?
                    };
                    let name = names::field_name(tl_name);
                    if !names_taken.insert(name.clone()) {
                        return Err(GenError::new(s.def, format!("has two fields `{name}`")));
                    }
                    s.steps.push(Step::Field(s.fields.len()));
                    s.fields.push(Field { name, ty, flag });
                }
                ParamKind::Repeat { .. } => {
                    let problem =
                        format!("repeats parameters (`{param}`), which no generated type can");
                    return Err(GenError::new(s.def, problem));
                }
            }
        }
        Ok(())
    }

    fn ty(&self, def: &Definition, ty: &Type) -> Result<Ty, GenError> {
        if def.is_type_param(&ty.name) {
            return Ok(Ty::Param(ty.name.clone()));
        }
        let name = ty.full_name();
        Ok(match name.as_str() {
            "int" => Ty::Int,
            "long" => Ty::Long,
            "double" => Ty::Double,
            "string" => Ty::Str,
            "bytes" => Ty::Bytes,
            "int128" => Ty::Int128,
            "int256" => Ty::Int256,
            "Bool" => Ty::Bool,
            "Vector" | "vector" => match ty.args.as_slice() {
                [item] => Ty::Vector {
                    boxed: !ty.bare,
                    item: Box::new(self.ty(def, item)?),
                },
                _ => {
                    return Err(GenError::new(
                        def,
                        format!("`{ty}` needs one argument, as `{name}<int>`"),
                    ));
                }
            },
            _ if ty.bare => match self.bare(ty, &name) {
                Some(of) => Ty::Struct(of),
                None => {
                    return Err(GenError::new(
                        def,
                        format!("the constructor `{ty}` is not defined"),
                    ));
                }
            },
            _ => match self.enums.get(&name) {
                Some(index) => Ty::Enum(*index),
                None => {
                    return Err(GenError::new(
                        def,
                        format!("the type `{ty}` is not defined"),
                    ));
                }
            },
        })
    }

    /// `future_salt` names a constructor; `%FutureSalt` names the one that the type has, in the other spelling.
    fn bare(&self, ty: &Type, name: &str) -> Option<usize> {
        if let Some(of) = self.structs.get(name) {
            return Some(*of);
        }
        let mut spelled = ty.clone();
        let mut chars = ty.name.chars();
        spelled.name = chars.next()?.to_ascii_lowercase().to_string() + chars.as_str();
        self.structs.get(&spelled.full_name()).copied()
    }
}
