//! Which variants hold their struct in a box. The rule stands in the crate's documentation.

use crate::error::GenError;
use crate::model::{Model, Ty};

/// The largest struct, in bytes, that a variant holds without a box. With 32, a page of messages is a fifth more
/// allocations and takes a seventh longer to read; with 64 to 128, messages and updates grow, and nothing is read sooner.
///
/// Sizes are those of a 64-bit target, where a struct's fields are ordered so that nothing but its end is padded.
pub const MAX_INLINE: usize = 48;

#[derive(Clone, Copy)]
struct Size {
    bytes: usize,
    align: usize,
    /// Whether an `Option` of it is no larger.
    niche: bool,
}

pub(crate) struct Layout {
    boxed: Vec<bool>,
    recursive: Vec<bool>,
    fallback: Vec<usize>,
    plain: Vec<bool>,
}

impl Layout {
    pub(crate) fn new(model: &Model<'_>) -> Result<Self, GenError> {
        let fallback = fallbacks(model)?;
        let enum_of = enum_of(model);
        let boxed = (0..model.structs.len())
            .map(|s| contains(model, s, enum_of[s], false))
            .collect();
        let mut layout = Self {
            boxed,
            recursive: Vec::new(),
            fallback,
            plain: Vec::new(),
        };
        let mut sizes = Sizes {
            structs: vec![None; model.structs.len()],
            enums: vec![None; model.enums.len()],
        };
        for s in 0..model.structs.len() {
            // Computing one decides the boxes of all it contains.
            sizes.of_struct(model, &mut layout, s);
        }
        for e in 0..model.enums.len() {
            sizes.of_enum(model, &mut layout, e);
        }
        layout.recursive = (0..model.enums.len())
            .map(|e| {
                model.enums[e]
                    .variants
                    .iter()
                    .any(|v| contains(model, v.of, e, true))
            })
            .collect();
        layout.plain = vec![true; model.structs.len()];
        // Taken from all until nothing more has to be taken.
        while let Some(s) = (0..model.structs.len()).find(|s| {
            layout.plain[*s]
                && (layout.boxed[*s]
                    || !model.structs[*s]
                        .fields
                        .iter()
                        .all(|f| layout.plain_ty(model, &f.ty)))
        }) {
            layout.plain[s] = false;
        }
        Ok(layout)
    }

    fn plain_ty(&self, model: &Model<'_>, ty: &Ty) -> bool {
        match ty {
            Ty::Str | Ty::Bytes | Ty::Vector { .. } | Ty::Param(_) => false,
            Ty::Enum(e) => model.enums[*e].variants.iter().all(|v| self.plain[v.of]),
            Ty::Struct(s) => self.plain[*s],
            _ => true,
        }
    }

    /// The variant (its place in the enum) that can be made from nothing in the fewest steps.
    pub(crate) fn fallback(&self, index: usize) -> usize {
        self.fallback[index]
    }

    /// Whether the variant of this struct holds a box.
    pub(crate) fn is_boxed(&self, of: usize) -> bool {
        self.boxed[of]
    }

    /// Whether a struct holds only numbers and the like, at most [`MAX_INLINE`] bytes of them.
    pub(crate) fn is_plain(&self, of: usize) -> bool {
        self.plain[of]
    }

    /// Whether a value of this enum may contain another one, at any distance.
    pub(crate) fn is_recursive(&self, index: usize) -> bool {
        self.recursive[index]
    }
}

/// How many steps down the shallowest value of each type goes, and by which variant. A type that has no such value has
/// no finite value at all.
fn fallbacks(model: &Model<'_>) -> Result<Vec<usize>, GenError> {
    let mut structs: Vec<Option<usize>> = vec![None; model.structs.len()];
    let mut enums: Vec<Option<(usize, usize)>> = vec![None; model.enums.len()];
    loop {
        let mut changed = false;
        for (s, of) in model
            .structs
            .iter()
            .enumerate()
            .filter(|(s, _)| structs[*s].is_none())
            .collect::<Vec<_>>()
        {
            let steps = of.fields.iter().map(|f| match f.ty {
                _ if f.flag.is_some() => Some(0),
                Ty::Enum(e) => enums[e].map(|(steps, _)| steps),
                Ty::Struct(s) => structs[s],
                _ => Some(0),
            });
            if let Some(steps) = steps.collect::<Option<Vec<usize>>>() {
                structs[s] = Some(steps.into_iter().max().unwrap_or(0) + 1);
                changed = true;
            }
        }
        for (e, an_enum) in model
            .enums
            .iter()
            .enumerate()
            .filter(|(e, _)| enums[*e].is_none())
            .collect::<Vec<_>>()
        {
            let variants = an_enum.variants.iter().enumerate();
            let best = variants
                .filter_map(|(i, v)| structs[v.of].map(|steps| (steps, i)))
                .min();
            if let Some(best) = best {
                enums[e] = Some(best);
                changed = true;
            }
        }
        if !changed {
            break;
        }
    }
    if let Some(s) = structs.iter().position(Option::is_none) {
        return Err(GenError::new(
            model.structs[s].def,
            "contains itself without an end".to_owned(),
        ));
    }
    Ok(enums
        .into_iter()
        .map(|best| best.map_or(0, |(_, i)| i))
        .collect())
}

fn enum_of(model: &Model<'_>) -> Vec<usize> {
    let mut of = vec![0; model.structs.len()];
    for (e, an_enum) in model.enums.iter().enumerate() {
        for v in &an_enum.variants {
            of[v.of] = e;
        }
    }
    of
}

/// Whether a value of a struct may contain one of an enum; `through_vec` looks into vectors too.
fn contains(model: &Model<'_>, of: usize, target: usize, through_vec: bool) -> bool {
    let mut seen_structs = vec![false; model.structs.len()];
    let mut seen_enums = vec![false; model.enums.len()];
    let mut todo = vec![of];
    while let Some(s) = todo.pop() {
        if std::mem::replace(&mut seen_structs[s], true) {
            continue;
        }
        for field in &model.structs[s].fields {
            let mut ty = &field.ty;
            while let Ty::Vector { item, .. } = ty
                && through_vec
            {
                ty = item;
            }
            match ty {
                Ty::Enum(e) if *e == target => return true,
                Ty::Enum(e) if !seen_enums[*e] => {
                    seen_enums[*e] = true;
                    todo.extend(model.enums[*e].variants.iter().map(|v| v.of));
                }
                Ty::Struct(s) => todo.push(*s),
                _ => {}
            }
        }
    }
    false
}

struct Sizes {
    structs: Vec<Option<Size>>,
    enums: Vec<Option<Size>>,
}

impl Sizes {
    fn of_struct(&mut self, model: &Model<'_>, layout: &mut Layout, s: usize) -> Size {
        if let Some(size) = self.structs[s] {
            return size;
        }
        let mut total = Size {
            bytes: 0,
            align: 1,
            niche: false,
        };
        for field in &model.structs[s].fields {
            let mut size = self.of_ty(model, layout, &field.ty);
            if field.flag.is_some() && field.ty != Ty::True && !size.niche {
                size.bytes += size.align;
            }
            total.bytes += size.bytes;
            total.align = total.align.max(size.align);
            total.niche |= size.niche;
        }
        total.bytes = total.bytes.next_multiple_of(total.align);
        self.structs[s] = Some(total);
        total
    }

    fn of_enum(&mut self, model: &Model<'_>, layout: &mut Layout, e: usize) -> Size {
        if let Some(size) = self.enums[e] {
            return size;
        }
        let variants = &model.enums[e].variants;
        let mut total = Size {
            bytes: 0,
            align: 1,
            niche: variants.len() > 1,
        };
        for v in variants {
            if model.structs[v.of].fields.is_empty() {
                continue;
            }
            let mut boxed = layout.boxed[v.of];
            let mut size = Size {
                bytes: 8,
                align: 8,
                niche: true,
            };
            if !boxed {
                let inline = self.of_struct(model, layout, v.of);
                boxed = inline.bytes > MAX_INLINE;
                if !boxed {
                    size = inline;
                }
            }
            layout.boxed[v.of] = boxed;
            total.bytes = total.bytes.max(size.bytes);
            total.align = total.align.max(size.align);
            total.niche |= size.niche;
        }
        if variants.len() > 1 {
            total.bytes = (total.bytes + 1).next_multiple_of(total.align);
        }
        self.enums[e] = Some(total);
        total
    }

    fn of_ty(&mut self, model: &Model<'_>, layout: &mut Layout, ty: &Ty) -> Size {
        let plain = |bytes, align| Size {
            bytes,
            align,
            niche: false,
        };
        match ty {
            Ty::Int => plain(4, 4),
            Ty::Long | Ty::Double => plain(8, 8),
            Ty::Int128 => plain(16, 1),
            Ty::Int256 => plain(32, 1),
            Ty::Bool | Ty::True => Size {
                bytes: 1,
                align: 1,
                niche: true,
            },
            Ty::Str | Ty::Bytes | Ty::Vector { .. } => Size {
                bytes: 24,
                align: 8,
                niche: true,
            },
            Ty::Enum(e) => self.of_enum(model, layout, *e),
            Ty::Struct(s) => self.of_struct(model, layout, *s),
            Ty::Param(_) => plain(0, 1),
        }
    }
}
