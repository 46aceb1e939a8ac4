//! What bots that sell are asked, and told.

use layer_tl_types as tl;

use super::{Other, Update, user};
use crate::client::{BoxFuture, Client};
use crate::error::Result;
use crate::peers::{Finder, Peer};
use crate::raw::Raw;

/// Someone has said where a thing is to be sent, and wants to know what that costs
/// (page `api/payments`). Answer it with [`accept`](Self::accept) or [`refuse`](Self::refuse).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ShippingQuery {
    /// What the answer must name.
    pub query_id: i64,
    /// Who buys.
    pub user: Peer,
    /// What the bot put into the invoice.
    pub payload: Vec<u8>,
    /// Where it is to go.
    pub address: Raw<tl::types::PostAddress>,
}

impl ShippingQuery {
    /// Offers ways to send it, with their prices.
    ///
    /// # Errors
    /// `QUERY_ID_INVALID` when it is too late, and the like (`messages.setBotShippingResults`).
    pub async fn accept(
        &self,
        client: &Client,
        options: Vec<tl::enums::ShippingOption>,
    ) -> Result<()> {
        shipping(client, self.query_id, Ok(options)).await
    }

    /// It cannot be sent there; the reason is shown to the user.
    ///
    /// # Errors
    /// As [`accept`](Self::accept).
    pub async fn refuse(&self, client: &Client, reason: &str) -> Result<()> {
        shipping(client, self.query_id, Err(reason.to_owned())).await
    }
}

/// Someone is about to pay. It must be answered within ten seconds, with [`accept`](Self::accept) or
/// [`refuse`](Self::refuse), or the payment fails.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PreCheckoutQuery {
    /// What the answer must name.
    pub query_id: i64,
    /// Who buys.
    pub user: Peer,
    /// What the bot put into the invoice.
    pub payload: Vec<u8>,
    /// In which currency (ISO 4217, or `XTR` for stars).
    pub currency: String,
    /// How much, in the smallest units of the currency.
    pub total_amount: i64,
    /// The way to send it that was chosen.
    pub shipping_option_id: Option<String>,
    /// What the user said about themselves, as far as the invoice asked.
    pub info: Option<Raw<tl::types::PaymentRequestedInfo>>,
}

impl PreCheckoutQuery {
    /// The thing is there and the price is right: take the money.
    ///
    /// # Errors
    /// `QUERY_ID_INVALID` when it is too late, and the like (`messages.setBotPrecheckoutResults`).
    pub async fn accept(&self, client: &Client) -> Result<()> {
        pre_checkout(client, self.query_id, None).await
    }

    /// It cannot be had any more; the reason is shown to the user.
    ///
    /// # Errors
    /// As [`accept`](Self::accept).
    pub async fn refuse(&self, client: &Client, reason: &str) -> Result<()> {
        pre_checkout(client, self.query_id, Some(reason.to_owned())).await
    }
}

/// Someone paid for media that this bot offered.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PaidMediaPurchase {
    /// Who.
    pub user: Peer,
    /// What the bot put into the offer.
    pub payload: String,
}

fn shipping(
    client: &Client,
    query_id: i64,
    answer: Result<Vec<tl::enums::ShippingOption>, String>,
) -> BoxFuture<'_, Result<()>> {
    Box::pin(async move {
        let (shipping_options, error) = match answer {
            Ok(options) => (Some(options), None),
            Err(reason) => (None, Some(reason)),
        };
        let request = tl::functions::messages::SetBotShippingResults {
            query_id,
            error,
            shipping_options,
        };
        client.invoke(&request).await.map(drop)
    })
}

fn pre_checkout(
    client: &Client,
    query_id: i64,
    error: Option<String>,
) -> BoxFuture<'_, Result<()>> {
    Box::pin(async move {
        let request = tl::functions::messages::SetBotPrecheckoutResults {
            success: error.is_none(),
            query_id,
            error,
        };
        client.invoke(&request).await.map(drop)
    })
}

pub(super) fn typed(update: tl::enums::Update, finder: &Finder<'_>) -> Other {
    use tl::enums::Update as U;
    Ok(match update {
        U::BotShippingQuery(u) => {
            let tl::enums::PostAddress::Address(address) = u.shipping_address;
            Update::ShippingQuery(ShippingQuery {
                query_id: u.query_id,
                user: user(finder, u.user_id),
                payload: u.payload,
                address: Raw::new(*address),
            })
        }
        U::BotPrecheckoutQuery(u) => {
            let info = u.info.map(|info| {
                let tl::enums::PaymentRequestedInfo::Info(info) = info;
                Raw::new(*info)
            });
            Update::PreCheckoutQuery(PreCheckoutQuery {
                query_id: u.query_id,
                user: user(finder, u.user_id),
                payload: u.payload,
                currency: u.currency,
                total_amount: u.total_amount,
                shipping_option_id: u.shipping_option_id,
                info,
            })
        }
        U::BotPurchasedPaidMedia(u) => Update::PaidMediaPurchase(PaidMediaPurchase {
            user: user(finder, u.user_id),
            payload: u.payload,
        }),
        other => return Err(other),
    })
}
