//! Signs accounts up and prints what every client needs to take them over: `prepare ADDRESS KEY.pem ACCOUNTS [FILE]`. The file is
//! stored, to be downloaded by all.

use std::net::{IpAddr, SocketAddr};

use layer_benchmarks_network::{Account, Document, Outcome, World, hex, run};
use layer_client::files::{Downloadable, Upload};
use layer_client::session::Session;
use layer_client::tl::enums::InputFileLocation;
use layer_client::{Client, Config, DcAddress, RsaPublicKey, SignInError};

const DC: i32 = 1;
const CODE: &str = "22222";

fn main() -> Outcome<()> {
    run(prepare())
}

async fn prepare() -> Outcome<()> {
    let mut arguments = std::env::args().skip(1);
    let address: SocketAddr = arguments.next().ok_or("an address")?.parse()?;
    let pem = std::fs::read_to_string(arguments.next().ok_or("the file of the public key")?)?;
    let count: usize = arguments.next().ok_or("how many accounts")?.parse()?;
    let mut accounts = Vec::new();
    let mut document = None;
    for number in 0..count {
        let config = Config {
            api_id: 1,
            api_hash: "hash".into(),
            dc_id: DC,
            dc_addresses: vec![DcAddress::new(DC, address)],
            rsa_keys: vec![RsaPublicKey::from_pem(&pem)?],
            ..Config::default()
        };
        let client = Client::connect(config).await?;
        let phone = format!("+1555{number:07}");
        let token = client.request_login_code(&phone).await?;
        let me = match client.sign_in(&token, CODE).await {
            Err(SignInError::SignUpRequired(token)) => client.sign_up(&token, "Bench", "").await?,
            Ok(_) => return Err("this server has the account already".into()),
            Err(error) => return Err(error.into()),
        };
        if number == 0
            && let Some(path) = arguments.next()
        {
            document = Some(store(&client, &path).await?);
        }
        let layer = client.export_session();
        let session = Session::import(&layer)?;
        let key = session.dcs.get(&DC).and_then(|dc| dc.auth_key.clone());
        let key = key.ok_or("the session has no key")?;
        accounts.push(Account {
            user_id: me.id(),
            phone,
            auth_key: hex(key.as_bytes()),
            telethon: telethon(address, key.as_bytes())?,
            layer,
        });
        client.disconnect().await?;
    }
    let world = World {
        dc_id: DC,
        address,
        accounts,
        document,
    };
    println!("{}", serde_json::to_string(&world)?);
    Ok(())
}

/// Stores a file, and says where it lies.
async fn store(client: &Client, path: &str) -> Outcome<Document> {
    let message = client.send_file("me", Upload::path(path), "").await?;
    let file = message.file_location().ok_or("the message has no file")?;
    let InputFileLocation::InputDocumentFileLocation(document) = file.raw() else {
        return Err("the file is no document".into());
    };
    Ok(Document {
        id: document.id.to_string(),
        access_hash: document.access_hash.to_string(),
        file_reference: hex(&document.file_reference),
        size: std::fs::metadata(path)?.len(),
    })
}

/// `1`, and in URL-safe base64 the data centre, its address and port, and the key.
fn telethon(address: SocketAddr, key: &[u8; 256]) -> Outcome<String> {
    let IpAddr::V4(ip) = address.ip() else {
        return Err("an IPv4 address".into());
    };
    let mut bytes = vec![u8::try_from(DC)?];
    bytes.extend(ip.octets());
    bytes.extend(address.port().to_be_bytes());
    bytes.extend(key);
    Ok(format!("1{}", base64(&bytes)))
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let mut whole = [0; 3];
        whole[..group.len()].copy_from_slice(group);
        let bits = u32::from_be_bytes([0, whole[0], whole[1], whole[2]]);
        for place in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * place) & 63) as usize];
            text.push(if place > group.len() {
                '='
            } else {
                digit.into()
            });
        }
    }
    text
}
