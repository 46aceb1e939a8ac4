//! Without options: the embedded data centre, nobody's account, no network.

#![allow(clippy::unwrap_used)] // a test is allowed to fail

mod support;

use std::process::Stdio;

use support::{Program, command, id, script};

#[tokio::test]
async fn one_command_holds_a_conversation() {
    let mut app = Program::start(&[]);
    app.until("an embedded data centre runs here").await;
    app.until("the code ").await;
    app.until("Signed in as Ada Lovelace").await;
    app.until("Welcome!").await;
    // The answer may come before what the command itself has to tell.
    app.ask("send @echo hello there", "Echo: hello there").await;
    app.ask("history @echo", "you: hello there").await;
    app.until("Echo: hello there").await;
    app.ask("dialogs", "Echo (@echo)").await;
    app.until("Grace Hopper (@grace)").await;
    app.ask("whoami", "Ada Lovelace").await;
    app.until("+9996620001").await;
    app.say("quit").await;
    app.end().await.succeeded();
}

#[tokio::test]
async fn a_script_goes_by_what_arrives() {
    let lines = "# a remark, and an empty line\n\nsend @echo one\nwait 20 Echo: one\nsend @echo two\nwait 20 Echo: two\n";
    let out = script(&[], lines).await.succeeded();
    assert!(out.contains("layer> send @echo one\n"), "{out}");
    assert!(!out.contains("remark"), "{out}");

    let run = script(&[], "wait 0 nothing of the kind\nwhoami\n").await;
    let line = run.failure();
    assert!(line.contains("did not arrive within 0 s"), "{line}");
    assert!(!run.out.contains("layer> whoami"), "{run:?}");
}

#[tokio::test]
async fn an_empty_script_signs_in_and_ends() {
    let out = script(&[], "").await.succeeded();
    assert!(out.contains("Signed in as Ada Lovelace"), "{out}");
}

#[tokio::test]
async fn the_first_line_that_fails_ends_a_script() {
    for (line, words) in [
        (
            "snd me hi",
            "in 'snd me hi': there is no command 'snd'; did you mean 'send'?",
        ),
        ("send @nobody_at_all hi", "nobody_at_all"),
        ("edit me 77 x", "MESSAGE_ID_INVALID"),
        ("history", "usage: history PEER [COUNT]"),
        ("download me 5", "there is no message 5"),
        ("upload me not-there.txt", "there is no file not-there.txt"),
        (
            "raw help.getNothing",
            "the schema has no method 'help.getNothing'",
        ),
        ("password\n", "a password has at least one character"),
        ("help frobnicate", "there is no command 'frobnicate'"),
    ] {
        let run = script(&[], &format!("{line}\nsend me afterwards\n")).await;
        let error = run.failure();
        assert!(error.contains(words), "{line}: {error}");
        assert!(error.contains(&format!("in '{}'", line.trim())), "{error}");
        assert!(!run.out.contains("afterwards"), "{run:?}");
    }
}

#[tokio::test]
async fn a_bot_is_made_and_buttons_are_pressed() {
    let mut app = Program::start(&[]);
    app.ask("send @BotFather /newbot", "BotFather: All right")
        .await;
    app.ask("send @BotFather Kettle", "BotFather: Good").await;
    app.ask("send @BotFather kettle_bot", "Congratulations")
        .await;
    app.ask("resolve @kettle_bot", "Kettle (@kettle_bot)").await;

    let message = app
        .ask("send @echo /keyboard", "Echo: Press a button")
        .await;
    let id = id(&message);
    app.until("[Ping] [Alert] [Edit]").await;
    app.ask(&format!("press @echo {id} Ping"), "Pong!").await;
    app.ask(&format!("press @echo {id} 2"), "This is an alert.")
        .await;
    app.say(&format!("press @echo {id} Edit")).await;
    app.until("Ada pressed the button.").await;
    app.ask("help press", "press PEER ID BUTTON").await;
    app.say(&format!("press @echo {id} Pong")).await;
    let run = app.end().await;
    assert!(
        run.failure().contains("there are: Ping, Alert, Edit")
            || run.failure().contains("no buttons"),
        "{run:?}"
    );
}

#[tokio::test]
async fn a_password_is_asked_for_at_the_next_sign_in() {
    let mut app = Program::start(&[]);
    app.say("password").await;
    app.say("open sesame").await;
    app.until("the next sign-in will ask for it").await;
    app.ask("logout", "signed out").await;
    app.say("").await;
    app.say("open sesame").await;
    app.until("Signed in as Ada Lovelace").await;
    // It is a whole client again, updates included.
    app.ask("send @echo still there", "Echo: still there").await;
    let out = app.end().await.succeeded();
    assert!(!out.contains("sesame"), "{out}");

    let run = script(&[], "password\nopen sesame\nlogout\n\nshut sesame\n").await;
    assert!(run.failure().contains("password"), "{run:?}");

    // A script may end by signing out.
    script(&[], "logout\n").await.succeeded();
}

#[tokio::test]
async fn somebody_else_may_sign_up_in_the_demo() {
    let lines = "Mary\nShelley\nwhoami\n";
    let out = script(&["--phone", "+1 555 0100"], lines).await.succeeded();
    assert!(out.contains("Mary Shelley\n  id "), "{out}");
}

#[tokio::test]
async fn the_demo_takes_any_transport() {
    for transport in ["obfuscated-full", "ws", "wss-abridged"] {
        let lines = "raw help.getNearestDc\n";
        let args = ["--transport", transport];
        let out = script(&args, lines).await.succeeded();
        assert!(out.contains("nearestDc"), "{transport}: {out}");
    }
}

#[tokio::test]
async fn options_that_make_no_sense_are_told() {
    for (args, words) in [
        (&["--session", "x.session"][..], "leave --session out"),
        (&["--dc", "9"], "has DCs 1 to 2, not 9"),
        (&["--api-id", "5"], "TG_API_HASH is not"),
        (&["--api-hash", "abc"], "TG_API_ID is not"),
        (&["--proxy", "socks4://a:1"], "not a link to a proxy"),
    ] {
        let run = script(args, "").await;
        assert!(run.failure().contains(words), "{run:?}");
    }
    for (args, words) in [
        (
            &["--transport", "pigeon"][..],
            "abridged, intermediate, padded or full",
        ),
        (&["--server", "127.0.0.1:1"], "--rsa-key <FILE>"),
        (&["--rsa-key", "a.pem"], "--server <HOST:PORT>"),
        (&["--frobnicate"], "--frobnicate"),
        (&["--dc", "0"], "--dc <N>"),
        (&["--api-id", "mine"], "--api-id <ID>"),
    ] {
        let run = script(args, "").await;
        assert_eq!(run.status, Some(2), "{run:?}");
        assert!(run.err.contains(words), "{args:?}: {run:?}");
    }
}

#[tokio::test]
async fn help_teaches() {
    let out = script(&["--help"], "").await.succeeded();
    for words in [
        "TG_API_ID",
        "my.telegram.org",
        "embedded data centre",
        "script",
        "Examples:",
    ] {
        assert!(out.contains(words), "{words}:\n{out}");
    }
    let out = script(&[], "help\nhelp raw\nhelp wait\n").await.succeeded();
    assert!(
        out.contains("send PEER TEXT") && out.contains("raw users.getUsers"),
        "{out}"
    );
}

#[cfg(unix)]
#[tokio::test]
async fn a_reader_that_leaves_early_is_no_crash() {
    let mut app = command(&[]);
    app.stderr(Stdio::piped());
    let mut app = Program::spawn(app);
    app.until("Signed in").await;
    // Nobody reads on, and the script would go on for ever.
    let run = app.abandon().await;
    assert_eq!((run.status, run.err.as_str()), (Some(141), ""), "{run:?}");
}
