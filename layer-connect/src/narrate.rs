//! The telling: what each step of the exchange sends and receives, and why.

use std::fmt::Write as _;
use std::io::{self, Write as _};

use layer_mtproto::handshake::Step;
use layer_tl_types as tl;

/// Prints it. A reader that has gone away (`| head`) changes nothing of what is done.
pub(crate) fn tell(text: &str) {
    let text = harmless(text);
    let mut out = io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// Without what would command the terminal: addresses and errors are written by strangers.
pub(crate) fn harmless(text: &str) -> String {
    text.replace(|c: char| c.is_control() && c != '\n', "\u{fffd}")
}

/// A step's heading and what is said under it.
pub(crate) fn step(step: &Step) -> String {
    let mut out = String::new();
    match step {
        Step::PqRequested { nonce } => {
            heading(
                &mut out,
                "1  req_pq_multi",
                "we open the exchange with a random number",
            );
            line(&mut out, "nonce", &hex(nonce));
        }
        Step::PqReceived {
            server_nonce,
            pq,
            fingerprints,
        } => {
            heading(
                &mut out,
                "2  resPQ",
                "the server adds its own, a riddle, and its RSA keys",
            );
            line(&mut out, "server_nonce", &hex(server_nonce));
            line(&mut out, "pq", &format!("{pq:#x} = {pq}"));
            for fingerprint in fingerprints {
                line(&mut out, "RSA key", &format!("{fingerprint:016x}"));
            }
        }
        Step::PqFactored { p, q } => {
            heading(
                &mut out,
                "3  factors of pq",
                "our proof of work (Pollard-Brent)",
            );
            line(&mut out, "p", &p.to_string());
            line(&mut out, "q", &q.to_string());
        }
        Step::DhParamsRequested {
            fingerprint,
            dc_id,
            expires_in,
        } => {
            heading(
                &mut out,
                "4  req_DH_params",
                "a secret number, new_nonce, goes over encrypted with RSA (RSA_PAD)",
            );
            line(&mut out, "RSA key", &format!("{fingerprint:016x}"));
            line(&mut out, "new_nonce", "256 random bits, never shown");
            if let Some(dc_id) = dc_id {
                line(&mut out, "dc", &dc_id.to_string());
            }
            if let Some(seconds) = expires_in {
                line(&mut out, "expires_in", &format!("{seconds} s"));
            }
        }
        Step::DhParamsReceived {
            g,
            dh_prime,
            prime_known,
            g_a,
            server_time,
            time_offset,
        } => {
            heading(
                &mut out,
                "5  server_DH_params_ok",
                "Diffie-Hellman parameters, encrypted with both nonces",
            );
            line(&mut out, "g", &g.to_string());
            let proof = if *prime_known {
                "the well-known safe prime"
            } else {
                "tested: a safe prime"
            };
            line(
                &mut out,
                "dh_prime",
                &format!("{} ({} bits, {proof})", short(dh_prime), dh_prime.len() * 8),
            );
            line(
                &mut out,
                "g_a",
                &format!("{} (within the safe range)", short(g_a)),
            );
            line(
                &mut out,
                "server_time",
                &format!("{server_time} ({time_offset:+} s from this machine's clock)"),
            );
        }
        Step::DhGenRequested { retry, g_b } => {
            heading(
                &mut out,
                "6  set_client_DH_params",
                "our half: g to the power of a secret b",
            );
            line(&mut out, "b", "2048 random bits, never shown");
            line(&mut out, "g_b", &short(g_b));
            if *retry > 0 {
                line(&mut out, "attempt", &(u32::from(*retry) + 1).to_string());
            }
        }
        Step::RetryWanted { retry } => {
            heading(&mut out, "   dh_gen_retry", "the server wants another key");
            line(&mut out, "refused", &retry.to_string());
        }
        Step::KeyConfirmed {
            auth_key_id,
            first_salt,
        } => {
            heading(
                &mut out,
                "7  dh_gen_ok",
                "both sides hold the auth key g^(ab), which was never sent",
            );
            line(&mut out, "auth_key_id", &format!("{auth_key_id:016x}"));
            line(&mut out, "server_salt", &format!("{first_salt:016x}"));
        }
        other => drop(writeln!(out, "   {other:?}")),
    }
    out
}

/// What the data centre says of itself.
pub(crate) fn config(config: &tl::types::Config) -> String {
    let mut out = String::new();
    heading(
        &mut out,
        "8  help.getConfig",
        "the first encrypted request, and its answer",
    );
    line(&mut out, "this_dc", &config.this_dc.to_string());
    line(&mut out, "date", &config.date.to_string());
    line(&mut out, "test_mode", &config.test_mode.to_string());
    for option in &config.dc_options {
        let tl::enums::DcOption::Option(option) = option;
        let kind = if option.media_only { " (media)" } else { "" };
        let address = format!("{} port {}{kind}", option.ip_address, option.port);
        line(&mut out, &format!("DC {}", option.id), &address);
    }
    out
}

fn heading(out: &mut String, name: &str, what: &str) {
    let _ = writeln!(out, "\n{name:<24} {what}");
}

fn line(out: &mut String, name: &str, value: &str) {
    let _ = writeln!(out, "   {name:<14} {value}");
}

fn hex(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        let _ = write!(out, "{byte:02x}");
    }
    out
}

/// The two ends of a long number.
fn short(bytes: &[u8]) -> String {
    match bytes {
        [first @ .., _, _, _, _] if bytes.len() > 16 => {
            format!("{}…{}", hex(&first[..8]), hex(&bytes[bytes.len() - 4..]))
        }
        all => hex(all),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_numbers_show_their_ends() {
        assert_eq!(short(&[0xab; 4]), "abababab");
        let mut long = [0x11; 256];
        long[255] = 0x22;
        assert_eq!(short(&long), "1111111111111111…11111122");
    }

    #[test]
    fn a_step_says_what_went_over_the_wire() {
        let text = step(&Step::PqFactored {
            p: 0x494c_553b,
            q: 0x5391_1073,
        });
        assert!(text.contains("1229739323"), "{text}");
        assert!(text.contains("1402015859"), "{text}");
    }
}
