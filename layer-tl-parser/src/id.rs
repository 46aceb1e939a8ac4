//! A definition's id: the CRC-32 of its normalised text.

use crate::ast::{Definition, Param, ParamKind, Type};

pub(crate) fn compute(def: &Definition) -> u32 {
    crc32fast::hash(normalise(def).as_bytes())
}

fn normalise(def: &Definition) -> String {
    let mut out = def.full_name();
    for p in &def.type_params {
        out.push(' ');
        out.push_str(&p.name);
        out.push(':');
        out.push_str(&p.kind);
    }
    if def.builtin {
        out.push_str(" ?");
    }
    for p in &def.params {
        param(&mut out, p);
    }
    out.push_str(" = ");
    ty(&mut out, &def.ty);
    out
}

fn param(out: &mut String, p: &Param) {
    // A bare `true` takes no room on the wire: it is a bit of its flag word, and no part of the definition's identity.
    if let ParamKind::Value { flag: Some(_), ty } = &p.kind
        && ty.name == "true"
        && ty.namespace.is_empty()
    {
        return;
    }
    out.push(' ');
    if let Some(name) = &p.name {
        out.push_str(name);
        out.push(':');
    }
    match &p.kind {
        ParamKind::Flags => out.push('#'),
        ParamKind::Value { flag, ty: t } => {
            if let Some(flag) = flag {
                out.push_str(&format!("{}.{}?", flag.name, flag.bit));
            }
            // The two have one representation on the wire and count as one, but only where they stand by themselves:
            // `Vector<bytes>` keeps its name.
            if t.name == "bytes" && t.namespace.is_empty() {
                out.push_str("string");
            } else {
                ty(out, t);
            }
        }
        ParamKind::Repeat { count, params } => {
            if let Some(count) = count {
                out.push_str(&format!("{count}*"));
            }
            out.push('[');
            for p in params {
                param(out, p);
            }
            out.push_str(" ]");
        }
    }
}

fn ty(out: &mut String, t: &Type) {
    if t.call {
        out.push('!');
    }
    if t.percent {
        out.push('%');
    }
    out.push_str(&t.full_name());
    for arg in &t.args {
        out.push(' ');
        ty(out, arg);
    }
}
