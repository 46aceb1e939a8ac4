//! `help.*`: what a program asks before and beside everything else. Most of it needs no sign-in.

use layer_tl_types::{enums, functions as f, types};

use super::countries::COUNTRIES;
use super::{Call, RpcError, routes};
use crate::world::World;

type Result<T> = std::result::Result<T, RpcError>;

/// Seconds for which a configuration is good.
const CONFIG_LIFETIME: i32 = 3600;
/// Seconds for which the answer "nothing to tell" is good.
const QUIET_LIFETIME: i32 = 24 * 3600;
/// The `hash` of the lists that never change while the server runs.
const LIST_HASH: i32 = 1;

routes! {
    f::help::GetConfig => get_config,
    f::help::GetNearestDc => get_nearest_dc,
    f::help::GetAppConfig => get_app_config,
    f::help::GetCountriesList => get_countries_list,
    f::help::GetTimezonesList => get_timezones_list,
    f::help::GetPeerColors => get_peer_colors,
    f::help::GetPeerProfileColors => get_peer_profile_colors,
    f::help::GetTermsOfServiceUpdate => get_terms_of_service_update,
    f::help::AcceptTermsOfService => accept_terms_of_service,
    f::help::GetPromoData => get_promo_data,
    f::help::HidePromoData => hide_promo_data,
    f::help::DismissSuggestion => dismiss_suggestion,
    f::help::GetInviteText => get_invite_text,
    f::help::GetAppUpdate => get_app_update,
    f::help::GetCdnConfig => get_cdn_config,
    f::help::GetDeepLinkInfo => get_deep_link_info,
    f::help::GetRecentMeUrls => get_recent_me_urls,
    f::help::GetPassportConfig => get_passport_config,
    f::help::GetPremiumPromo => get_premium_promo,
    f::help::GetSupportName => get_support_name,
    f::help::SaveAppLog => save_app_log,
    f::help::SetBotUpdatesStatus => set_bot_updates_status,
}

fn dc_options(world: &World) -> Vec<enums::DcOption> {
    world
        .auth
        .settings
        .dcs
        .iter()
        .map(|listing| {
            types::DcOption {
                ipv6: listing.address.is_ipv6(),
                media_only: listing.media_only,
                tcpo_only: false,
                cdn: listing.cdn,
                r#static: false,
                this_port_only: true,
                id: listing.dc_id,
                ip_address: listing.address.ip().to_string(),
                port: i32::from(listing.address.port()),
                secret: None,
            }
            .into()
        })
        .collect()
}

fn get_config(world: &mut World, call: &Call, _: f::help::GetConfig) -> Result<enums::Config> {
    Ok(types::Config {
        default_p2p_contacts: true,
        preload_featured_stickers: false,
        revoke_pm_inbox: true,
        blocked_mode: false,
        force_try_ipv6: false,
        date: call.now,
        expires: call.now.saturating_add(CONFIG_LIFETIME),
        test_mode: false,
        this_dc: call.dc_id,
        dc_options: dc_options(world),
        dc_txt_domain_name: String::new(),
        chat_size_max: 200,
        megagroup_size_max: 200_000,
        forwarded_count_max: 100,
        online_update_period_ms: 210_000,
        offline_blur_timeout_ms: 5_000,
        offline_idle_timeout_ms: 30_000,
        online_cloud_timeout_ms: 300_000,
        notify_cloud_delay_ms: 30_000,
        notify_default_delay_ms: 1_500,
        push_chat_period_ms: 60_000,
        push_chat_limit: 2,
        edit_time_limit: 172_800,
        revoke_time_limit: i32::MAX,
        revoke_pm_time_limit: i32::MAX,
        rating_e_decay: 2_419_200,
        stickers_recent_limit: 200,
        channels_read_media_period: 604_800,
        tmp_sessions: None,
        call_receive_timeout_ms: 20_000,
        call_ring_timeout_ms: 90_000,
        call_connect_timeout_ms: 30_000,
        call_packet_timeout_ms: 10_000,
        me_url_prefix: "https://t.me/".to_owned(),
        autoupdate_url_prefix: None,
        gif_search_username: None,
        venue_search_username: None,
        img_search_username: None,
        static_maps_provider: None,
        caption_length_max: 1024,
        message_length_max: 4096,
        webfile_dc_id: world.webfile_dc(),
        suggested_lang_code: None,
        lang_pack_version: None,
        base_lang_pack_version: None,
        reactions_default: None,
        autologin_token: None,
    }
    .into())
}

fn get_nearest_dc(
    _: &mut World,
    call: &Call,
    _: f::help::GetNearestDc,
) -> Result<enums::NearestDc> {
    let country = "XX".to_owned();
    Ok(types::NearestDc {
        country,
        this_dc: call.dc_id,
        nearest_dc: call.dc_id,
    }
    .into())
}

fn number(key: &str, value: i32) -> enums::JsonobjectValue {
    let value = types::JsonNumber {
        value: f64::from(value),
    }
    .into();
    types::JsonObjectValue {
        key: key.to_owned(),
        value,
    }
    .into()
}

fn get_app_config(
    world: &mut World,
    _: &Call,
    request: f::help::GetAppConfig,
) -> Result<enums::help::AppConfig> {
    if request.hash == LIST_HASH {
        return Ok(enums::help::AppConfig::NotModified);
    }
    let value = vec![
        number("channels_limit_default", 500),
        number("dialogs_pinned_limit_default", 5),
        number("dialogs_folder_pinned_limit_default", 100),
        number("caption_length_limit_default", 1024),
        number("upload_max_fileparts_default", world.config.file_parts),
        number(
            "upload_max_fileparts_premium",
            world.config.file_parts_premium,
        ),
        number("upload_premium_speedup_download", 10),
        number("upload_premium_speedup_upload", 10),
        number("upload_premium_speedup_notify_period", 3600),
        number("about_length_limit_default", 140),
        number("reactions_uniq_max", 11),
    ];
    let config = types::JsonObject { value }.into();
    Ok(types::help::AppConfig {
        hash: LIST_HASH,
        config,
    }
    .into())
}

fn get_countries_list(
    _: &mut World,
    _: &Call,
    request: f::help::GetCountriesList,
) -> Result<enums::help::CountriesList> {
    if request.hash == LIST_HASH {
        return Ok(enums::help::CountriesList::NotModified);
    }
    let countries = COUNTRIES
        .iter()
        .map(|(iso2, name, code)| {
            let country_code: enums::help::CountryCode = types::help::CountryCode {
                country_code: (*code).to_owned(),
                prefixes: None,
                patterns: None,
            }
            .into();
            types::help::Country {
                hidden: false,
                iso2: (*iso2).to_owned(),
                default_name: (*name).to_owned(),
                name: None,
                country_codes: vec![country_code],
            }
            .into()
        })
        .collect();
    Ok(types::help::CountriesList {
        countries,
        hash: LIST_HASH,
    }
    .into())
}

fn get_timezones_list(
    _: &mut World,
    call: &Call,
    request: f::help::GetTimezonesList,
) -> Result<enums::help::TimezonesList> {
    call.user()?;
    if request.hash == LIST_HASH {
        return Ok(enums::help::TimezonesList::NotModified);
    }
    let timezones = [
        ("America/New_York", "New York", -5 * 3600),
        ("America/Sao_Paulo", "São Paulo", -3 * 3600),
        ("Etc/UTC", "UTC", 0),
        ("Europe/London", "London", 0),
        ("Europe/Berlin", "Berlin", 3600),
        ("Europe/Istanbul", "Istanbul", 3 * 3600),
        ("Asia/Dubai", "Dubai", 4 * 3600),
        ("Asia/Kolkata", "Kolkata", 19_800),
        ("Asia/Singapore", "Singapore", 8 * 3600),
        ("Asia/Tokyo", "Tokyo", 9 * 3600),
    ]
    .into_iter()
    .map(|(id, name, utc_offset)| {
        types::Timezone {
            id: id.to_owned(),
            name: name.to_owned(),
            utc_offset,
        }
        .into()
    })
    .collect();
    Ok(types::help::TimezonesList {
        timezones,
        hash: LIST_HASH,
    }
    .into())
}

/// The seven colours that every program knows by number, and some with colours of their own.
fn get_peer_colors(
    _: &mut World,
    call: &Call,
    request: f::help::GetPeerColors,
) -> Result<enums::help::PeerColors> {
    call.user()?;
    if request.hash == LIST_HASH {
        return Ok(enums::help::PeerColors::NotModified);
    }
    let own: [(i32, &[i32]); 3] = [
        (7, &[0x00e1_5052, 0x00f9_ae63]),
        (8, &[0x00e0_802b, 0x00fa_c534]),
        (9, &[0x00a0_5ff3]),
    ];
    let builtin = (0..7).map(|color_id| (color_id, None));
    let own = own.into_iter().map(|(color_id, colors)| {
        (
            color_id,
            Some(
                types::help::PeerColorSet {
                    colors: colors.to_vec(),
                }
                .into(),
            ),
        )
    });
    Ok(peer_colors(builtin.chain(own)))
}

fn get_peer_profile_colors(
    _: &mut World,
    call: &Call,
    request: f::help::GetPeerProfileColors,
) -> Result<enums::help::PeerColors> {
    call.user()?;
    if request.hash == LIST_HASH {
        return Ok(enums::help::PeerColors::NotModified);
    }
    let sets = [
        (0, 0x00ba_5650),
        (1, 0x00c2_7c3e),
        (2, 0x0095_6ac8),
        (3, 0x0049_a355),
    ];
    Ok(peer_colors(sets.into_iter().map(|(color_id, color)| {
        let set = types::help::PeerColorProfileSet {
            palette_colors: vec![color],
            bg_colors: vec![color],
            story_colors: vec![color, color],
        };
        (color_id, Some(set.into()))
    })))
}

/// The same set in light and in dark: programs want profile colours in both.
fn peer_colors(
    sets: impl Iterator<Item = (i32, Option<enums::help::PeerColorSet>)>,
) -> enums::help::PeerColors {
    let colors = sets
        .map(|(color_id, colors)| {
            types::help::PeerColorOption {
                hidden: false,
                color_id,
                dark_colors: colors.clone(),
                colors,
                channel_min_level: None,
                group_min_level: None,
            }
            .into()
        })
        .collect();
    types::help::PeerColors {
        hash: LIST_HASH,
        colors,
    }
    .into()
}

fn get_terms_of_service_update(
    _: &mut World,
    call: &Call,
    _: f::help::GetTermsOfServiceUpdate,
) -> Result<enums::help::TermsOfServiceUpdate> {
    call.user()?;
    let expires = call.now.saturating_add(QUIET_LIFETIME);
    Ok(types::help::TermsOfServiceUpdateEmpty { expires }.into())
}

fn get_promo_data(
    _: &mut World,
    call: &Call,
    _: f::help::GetPromoData,
) -> Result<enums::help::PromoData> {
    call.user()?;
    let expires = call.now.saturating_add(QUIET_LIFETIME);
    Ok(types::help::PromoDataEmpty { expires }.into())
}

fn accept_terms_of_service(
    _: &mut World,
    call: &Call,
    _: f::help::AcceptTermsOfService,
) -> Result<bool> {
    call.user().map(|_| true)
}

fn hide_promo_data(_: &mut World, call: &Call, _: f::help::HidePromoData) -> Result<bool> {
    call.user().map(|_| true)
}

fn dismiss_suggestion(_: &mut World, call: &Call, _: f::help::DismissSuggestion) -> Result<bool> {
    call.user().map(|_| true)
}

fn get_invite_text(
    _: &mut World,
    _: &Call,
    _: f::help::GetInviteText,
) -> Result<enums::help::InviteText> {
    let message = "This is a test data centre; there is nobody to invite.".to_owned();
    Ok(types::help::InviteText { message }.into())
}

fn get_app_update(
    _: &mut World,
    _: &Call,
    _: f::help::GetAppUpdate,
) -> Result<enums::help::AppUpdate> {
    Ok(enums::help::AppUpdate::NoAppUpdate)
}

fn get_cdn_config(
    world: &mut World,
    _: &Call,
    _: f::help::GetCdnConfig,
) -> Result<enums::CdnConfig> {
    let keys = world.files.cdn.dc.iter().map(|cdn| {
        types::CdnPublicKey {
            dc_id: cdn.dc_id,
            public_key: cdn.public_key.clone(),
        }
        .into()
    });
    Ok(types::CdnConfig {
        public_keys: keys.collect(),
    }
    .into())
}

fn get_deep_link_info(
    _: &mut World,
    _: &Call,
    _: f::help::GetDeepLinkInfo,
) -> Result<enums::help::DeepLinkInfo> {
    Ok(enums::help::DeepLinkInfo::Empty)
}

fn get_recent_me_urls(
    _: &mut World,
    call: &Call,
    _: f::help::GetRecentMeUrls,
) -> Result<enums::help::RecentMeUrls> {
    call.user()?;
    Ok(types::help::RecentMeUrls {
        urls: vec![],
        chats: vec![],
        users: vec![],
    }
    .into())
}

fn get_passport_config(
    _: &mut World,
    call: &Call,
    request: f::help::GetPassportConfig,
) -> Result<enums::help::PassportConfig> {
    call.user()?;
    if request.hash == LIST_HASH {
        return Ok(enums::help::PassportConfig::NotModified);
    }
    let countries_langs = types::DataJson {
        data: "{}".to_owned(),
    }
    .into();
    Ok(types::help::PassportConfig {
        hash: LIST_HASH,
        countries_langs,
    }
    .into())
}

fn get_premium_promo(
    _: &mut World,
    call: &Call,
    _: f::help::GetPremiumPromo,
) -> Result<enums::help::PremiumPromo> {
    call.user()?;
    Ok(types::help::PremiumPromo {
        status_text: String::new(),
        status_entities: vec![],
        video_sections: vec![],
        videos: vec![],
        period_options: vec![],
        users: vec![],
    }
    .into())
}

fn get_support_name(
    _: &mut World,
    call: &Call,
    _: f::help::GetSupportName,
) -> Result<enums::help::SupportName> {
    call.user()?;
    Ok(types::help::SupportName {
        name: "Support".to_owned(),
    }
    .into())
}

fn save_app_log(_: &mut World, _: &Call, _: f::help::SaveAppLog) -> Result<bool> {
    Ok(true)
}

fn set_bot_updates_status(
    _: &mut World,
    call: &Call,
    _: f::help::SetBotUpdatesStatus,
) -> Result<bool> {
    call.user().map(|_| true)
}
