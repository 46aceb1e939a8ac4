//! Random valid bytes from the schema's definitions.

use std::collections::HashMap;

use fastrand::Rng;
use layer_tl_parser::{Definition, IdCheck, ParamKind, Type, parse_with};

/// What the features compile in.
pub struct Schema {
    pub definitions: Vec<Definition>,
    by_type: HashMap<String, Vec<usize>>,
    by_name: HashMap<String, usize>,
    /// How many steps down the shallowest value goes.
    steps: Vec<usize>,
}

impl Schema {
    pub fn load() -> Self {
        let mut definitions = Vec::new();
        for (file, wanted) in [
            ("api", cfg!(feature = "tl-api")),
            ("mtproto", cfg!(feature = "tl-mtproto")),
        ] {
            if wanted {
                let path = format!("{}/tl/{file}.tl", env!("CARGO_MANIFEST_DIR"));
                let text = std::fs::read_to_string(path).unwrap();
                definitions.extend(parse_with(&text, IdCheck::AsWritten).unwrap());
            }
        }
        let mut schema = Self {
            by_type: HashMap::new(),
            by_name: HashMap::new(),
            steps: Vec::new(),
            definitions,
        };
        for (i, def) in schema.definitions.iter().enumerate() {
            if def.category == layer_tl_parser::Category::Type {
                schema
                    .by_type
                    .entry(def.ty.full_name())
                    .or_default()
                    .push(i);
                schema.by_name.insert(def.full_name(), i);
            }
        }
        schema.count_steps();
        schema
    }

    /// Whether the runtime has it and nothing is generated.
    pub fn is_core(&self, index: usize) -> bool {
        let def = &self.definitions[index];
        let builtin = matches!(
            def.full_name().as_str(),
            "vector" | "boolTrue" | "boolFalse" | "int128" | "int256"
        );
        def.builtin || builtin
    }

    pub fn is_generic(&self, index: usize) -> bool {
        !self.definitions[index].type_params.is_empty()
    }

    fn count_steps(&mut self) {
        self.steps = vec![usize::MAX; self.definitions.len()];
        loop {
            let mut changed = false;
            for i in 0..self.definitions.len() {
                let needed = self.definitions[i].params.iter().map(|p| match &p.kind {
                    ParamKind::Value { flag: None, ty } => self.steps_of(ty),
                    _ => 0,
                });
                let steps = needed.max().unwrap_or(0).saturating_add(1);
                changed |= steps < self.steps[i];
                self.steps[i] = steps.min(self.steps[i]);
            }
            if !changed {
                return;
            }
        }
    }

    fn steps_of(&self, ty: &Type) -> usize {
        match self.by_type.get(&ty.full_name()) {
            Some(defs) => defs.iter().map(|i| self.steps[*i]).min().unwrap_or(0),
            None => 0,
        }
    }

    /// The definition with its id.
    pub fn random(&self, rng: &mut Rng, index: usize) -> Vec<u8> {
        let mut out = Vec::new();
        self.boxed(rng, index, 0, &mut out);
        out
    }

    fn boxed(&self, rng: &mut Rng, index: usize, depth: usize, out: &mut Vec<u8>) {
        out.extend(self.definitions[index].id.to_le_bytes());
        self.params(rng, index, depth, out);
    }

    fn params(&self, rng: &mut Rng, index: usize, depth: usize, out: &mut Vec<u8>) {
        let def = &self.definitions[index];
        let mut words: HashMap<&str, u32> = HashMap::new();
        for param in &def.params {
            match &param.kind {
                ParamKind::Flags => {
                    let name = param.name.as_deref().unwrap();
                    let mut word = 0;
                    for p in &def.params {
                        if let ParamKind::Value {
                            flag: Some(flag), ..
                        } = &p.kind
                            && flag.name == name
                            && rng.usize(..depth + 2) == 0
                        {
                            word |= 1 << flag.bit;
                        }
                    }
                    words.insert(name, word);
                    out.extend(u32::to_le_bytes(word));
                }
                ParamKind::Value { flag, ty } => {
                    let there = flag
                        .as_ref()
                        .is_none_or(|f| words[f.name.as_str()] >> f.bit & 1 != 0);
                    if there && ty.name != "true" {
                        self.value(rng, ty, depth, out);
                    }
                }
                ParamKind::Repeat { .. } => panic!("{def} repeats"),
            }
        }
    }

    fn value(&self, rng: &mut Rng, ty: &Type, depth: usize, out: &mut Vec<u8>) {
        let random = |rng: &mut Rng, len: usize| (0..len).map(|_| rng.u8(..)).collect::<Vec<u8>>();
        if ty.call {
            // The call inside a generic one.
            let len = rng.usize(1..8) * 4;
            out.extend(random(rng, len));
            return;
        }
        let name = ty.full_name();
        match name.as_str() {
            "int" => out.extend(random(rng, 4)),
            "long" | "double" => out.extend(random(rng, 8)),
            "int128" => out.extend(random(rng, 16)),
            "int256" => out.extend(random(rng, 32)),
            "Bool" => out.extend(
                if rng.bool() {
                    0x9972_75b5_u32
                } else {
                    0xbc79_9737
                }
                .to_le_bytes(),
            ),
            "string" => {
                let len = length(rng, depth);
                let text: String = (0..len).map(|_| rng.char(..)).collect();
                bytes(text.as_bytes(), out);
            }
            "bytes" => {
                let len = length(rng, depth);
                bytes(&random(rng, len), out);
            }
            "Vector" | "vector" => {
                if name == "Vector" {
                    out.extend(0x1cb5_c415_u32.to_le_bytes());
                }
                let len = if depth > 4 { 0 } else { rng.u32(..4) };
                out.extend(len.to_le_bytes());
                for _ in 0..len {
                    self.value(rng, &ty.args[0], depth + 1, out);
                }
            }
            _ if ty.bare => self.params(rng, self.by_name[&name], depth + 1, out),
            _ => {
                let all = &self.by_type[&name];
                let shallow = *all.iter().min_by_key(|i| self.steps[**i]).unwrap();
                let index = if depth > 4 {
                    shallow
                } else {
                    *rng.choice(all).unwrap()
                };
                self.boxed(rng, index, depth + 1, out);
            }
        }
    }
}

/// Mostly short, and around the length where the form changes.
fn length(rng: &mut Rng, depth: usize) -> usize {
    match rng.u8(..32) {
        0 if depth < 2 => rng.usize(250..260),
        1 if depth < 2 => rng.usize(..2000),
        2..8 => 0,
        _ => rng.usize(..20),
    }
}

fn bytes(x: &[u8], out: &mut Vec<u8>) {
    let start = out.len();
    if x.len() < 254 {
        out.push(u8::try_from(x.len()).unwrap());
    } else {
        out.extend((u32::try_from(x.len()).unwrap() << 8 | 254).to_le_bytes());
    }
    out.extend(x);
    while !(out.len() - start).is_multiple_of(4) {
        out.push(0);
    }
}
