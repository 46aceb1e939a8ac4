//! Signing in: by the same steps at Telegram, at the embedded data centre, and in a script.

use layer_client::{Client, LoginToken, SignInError, User};

use crate::Failure;
use crate::cli::Args;
use crate::console::{Console, Line};
use crate::demo::Demo;
use crate::output::say;

/// How often a person may mistype a code or a password.
const TRIES: usize = 3;

/// Says who is signed in, after signing in if nobody was.
pub(crate) async fn run(
    client: &Client,
    console: &mut Console,
    args: &Args,
    demo: Option<&Demo>,
    again: bool,
) -> Result<User, Failure> {
    if client.is_authorized().await? {
        let user = client.me().await?;
        say!("Signed in as {user}.");
        return Ok(user);
    }
    let user = match &args.bot_token {
        Some(token) => client.bot_sign_in(token).await?,
        None => by_phone(client, console, args, demo, again).await?,
    };
    client.save_session().await?;
    match demo {
        Some(demo) if !again && !console.is_script() => {
            say!("Signed in as {user}. Things to try:");
            demo.show_around();
        }
        _ => say!("Signed in as {user}. 'help' lists the commands."),
    }
    if let (Some(demo), Some(phone), false) = (demo, user.phone(), again) {
        demo.welcome(phone);
    }
    Ok(user)
}

async fn by_phone(
    client: &Client,
    console: &mut Console,
    args: &Args,
    demo: Option<&Demo>,
    again: bool,
) -> Result<User, Failure> {
    let phone = match (&args.phone, demo) {
        (_, Some(demo)) if again => {
            let usual = demo.phone();
            let prompt = format!("Phone number (Enter for {usual}): ");
            let typed = ask(console, &prompt).await?;
            if typed.is_empty() {
                usual.to_owned()
            } else {
                typed
            }
        }
        (Some(phone), _) => phone.clone(),
        (None, Some(demo)) => demo.phone().to_owned(),
        (None, None) => ask(console, "Phone number, with its country code: ").await?,
    };
    let token = client.request_login_code(&phone).await?;
    let mut outcome = enter_code(client, console, &phone, &token, demo).await?;
    for _ in 0..TRIES {
        outcome = match outcome {
            Ok(user) => return Ok(user),
            Err(SignInError::SignUpRequired(token)) => {
                let ada = demo.is_some_and(|demo| demo.phone() == phone);
                return sign_up(client, console, &token, ada).await;
            }
            Err(SignInError::PasswordRequired(token)) => {
                let prompt = match token.hint() {
                    Some(hint) => format!("Two-factor password (hint: {hint}): "),
                    None => "Two-factor password: ".to_owned(),
                };
                let password = ask_secret(console, &prompt).await?;
                client.check_password(token, &password).await
            }
            Err(SignInError::InvalidPassword(token)) if !console.is_script() => {
                let password = ask_secret(console, "That is not it. Once more: ").await?;
                client.check_password(token, &password).await
            }
            Err(error) => return Err(error.into()),
        };
    }
    Ok(outcome?)
}

async fn enter_code(
    client: &Client,
    console: &mut Console,
    phone: &str,
    token: &LoginToken,
    demo: Option<&Demo>,
) -> Result<Result<User, SignInError>, Failure> {
    if let Some(demo) = demo {
        let code = demo
            .login_code(phone)
            .ok_or("the embedded data centre sent no code")?;
        say!("Signing in as {phone}: the code {code} arrived, and is entered.");
        return Ok(client.sign_in(token, &code).await);
    }
    let mut prompt = "The code that Telegram sent: ";
    for _ in 1..TRIES {
        let code = ask(console, prompt).await?;
        match client.sign_in(token, &code).await {
            Err(SignInError::InvalidCode) if !console.is_script() => {
                prompt = "That is not it. Once more: ";
            }
            outcome => return Ok(outcome),
        }
    }
    let code = ask(console, prompt).await?;
    Ok(client.sign_in(token, &code).await)
}

async fn sign_up(
    client: &Client,
    console: &mut Console,
    token: &LoginToken,
    ada: bool,
) -> Result<User, Failure> {
    if ada {
        return Ok(client.sign_up(token, "Ada", "Lovelace").await?);
    }
    if let Some(terms) = token.terms() {
        say!("Signing up means agreeing to these terms:\n{terms}");
    }
    let first = ask(console, "This number is new. Your first name: ").await?;
    let last = ask(console, "Your last name (may be empty): ").await?;
    Ok(client.sign_up(token, &first, &last).await?)
}

async fn ask(console: &mut Console, prompt: &str) -> Result<String, Failure> {
    answer(console.line(prompt).await?, prompt)
}

pub(crate) async fn ask_secret(console: &mut Console, prompt: &str) -> Result<String, Failure> {
    answer(console.secret(prompt).await?, prompt)
}

fn answer(line: Line, prompt: &str) -> Result<String, Failure> {
    match line {
        Line::Text(text) => Ok(text.trim().to_owned()),
        Line::Interrupted => Err("signing in was given up".into()),
        Line::End => Err(format!("no answer to: {}", prompt.trim_end()).into()),
    }
}
