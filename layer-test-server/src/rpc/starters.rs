//! What official clients ask on their way in and this server has nothing of: each gets its proper empty answer.
//!
//! Stickers, reactions, stories, themes of chats, gifts, boosts, translations. The calls are checked for a signed-in
//! account like any other.

use layer_tl_types::{enums, functions, types};

use super::{Call, RpcError, routes};
use crate::world::World;
use crate::world::named::Named;
use crate::world::reactions::AVAILABLE;

/// Methods that always have the same answer.
macro_rules! constant {
    ($($method:ident::$name:ident as $function:ident -> $answer:ty = $value:expr;)*) => {
        routes! {
            $(functions::$method::$name => $function,)*
            functions::messages::GetEmojiKeywords => emoji_keywords,
            functions::messages::GetEmojiKeywordsDifference => emoji_keywords_difference,
            functions::messages::GetStickerSet => sticker_set,
            functions::messages::GetScheduledHistory => scheduled_history,
            functions::messages::GetRecentLocations => recent_locations,
            functions::messages::GetUnreadReactions => unread_reactions,
            functions::messages::ReadReactions => read_reactions,
            functions::messages::GetSavedHistory => saved_history,
            functions::stories::GetPeerStories => peer_stories,
            functions::stories::GetPeerMaxIds => stories_max_ids,
            functions::premium::GetBoostsStatus => boosts_status,
        }

        $(fn $function(_: &mut World, call: &Call, _: functions::$method::$name) -> Result<$answer, RpcError> {
            call.user()?;
            Ok($value)
        })*
    };
}

constant! {
    messages::GetTopReactions as top_reactions -> enums::messages::Reactions = all_reactions();
    messages::GetRecentReactions as recent_reactions -> enums::messages::Reactions = no_reactions();
    messages::GetDefaultTagReactions as tag_reactions -> enums::messages::Reactions = no_reactions();
    messages::ClearRecentReactions as clear_reactions -> bool = true;
    messages::GetSavedReactionTags as saved_tags -> enums::messages::SavedReactionTags =
        types::messages::SavedReactionTags { tags: Vec::new(), hash: 0 }.into();
    messages::GetAvailableReactions as available_reactions -> enums::messages::AvailableReactions =
        types::messages::AvailableReactions { hash: 0, reactions: Vec::new() }.into();
    messages::GetAvailableEffects as available_effects -> enums::messages::AvailableEffects =
        types::messages::AvailableEffects { hash: 0, effects: Vec::new(), documents: Vec::new() }.into();
    messages::GetAttachMenuBots as attach_menu_bots -> enums::AttachMenuBots =
        types::AttachMenuBots { hash: 0, bots: Vec::new(), users: Vec::new() }.into();
    messages::GetDialogFilters as dialog_filters -> enums::messages::DialogFilters =
        types::messages::DialogFilters { tags_enabled: false, filters: vec![enums::DialogFilter::Default] }.into();
    messages::GetSuggestedDialogFilters as suggested_filters -> Vec<enums::DialogFilterSuggested> = Vec::new();
    messages::UpdateDialogFiltersOrder as filters_order -> bool = true;
    messages::GetAllStickers as all_stickers -> enums::messages::AllStickers = no_sticker_sets();
    messages::GetMaskStickers as mask_stickers -> enums::messages::AllStickers = no_sticker_sets();
    messages::GetEmojiStickers as emoji_stickers -> enums::messages::AllStickers = no_sticker_sets();
    messages::GetFeaturedStickers as featured_stickers -> enums::messages::FeaturedStickers = no_featured();
    messages::GetFeaturedEmojiStickers as featured_emoji -> enums::messages::FeaturedStickers = no_featured();
    messages::GetOldFeaturedStickers as old_featured -> enums::messages::FeaturedStickers = no_featured();
    messages::ReadFeaturedStickers as read_featured -> bool = true;
    messages::GetRecentStickers as recent_stickers -> enums::messages::RecentStickers =
        types::messages::RecentStickers { hash: 0, packs: Vec::new(), stickers: Vec::new(), dates: Vec::new() }.into();
    messages::GetFavedStickers as faved_stickers -> enums::messages::FavedStickers =
        types::messages::FavedStickers { hash: 0, packs: Vec::new(), stickers: Vec::new() }.into();
    messages::GetArchivedStickers as archived_stickers -> enums::messages::ArchivedStickers =
        types::messages::ArchivedStickers { count: 0, sets: Vec::new() }.into();
    messages::GetMyStickers as my_stickers -> enums::messages::MyStickers =
        types::messages::MyStickers { count: 0, sets: Vec::new() }.into();
    messages::GetStickers as stickers -> enums::messages::Stickers =
        types::messages::Stickers { hash: 0, stickers: Vec::new() }.into();
    messages::SearchStickerSets as search_sets -> enums::messages::FoundStickerSets =
        types::messages::FoundStickerSets { hash: 0, sets: Vec::new() }.into();
    messages::SearchEmojiStickerSets as search_emoji_sets -> enums::messages::FoundStickerSets =
        types::messages::FoundStickerSets { hash: 0, sets: Vec::new() }.into();
    messages::SearchStickers as search_stickers -> enums::messages::FoundStickers =
        types::messages::FoundStickers { next_offset: None, hash: 0, stickers: Vec::new() }.into();
    messages::GetSavedGifs as saved_gifs -> enums::messages::SavedGifs =
        types::messages::SavedGifs { hash: 0, gifs: Vec::new() }.into();
    messages::GetCustomEmojiDocuments as custom_emoji -> Vec<enums::Document> = Vec::new();
    messages::SearchCustomEmoji as search_emoji -> enums::EmojiList = no_emoji();
    messages::GetEmojiGroups as emoji_groups -> enums::messages::EmojiGroups = no_emoji_groups();
    messages::GetEmojiStatusGroups as emoji_status_groups -> enums::messages::EmojiGroups = no_emoji_groups();
    messages::GetEmojiProfilePhotoGroups as emoji_photo_groups -> enums::messages::EmojiGroups = no_emoji_groups();
    messages::GetEmojiStickerGroups as emoji_sticker_groups -> enums::messages::EmojiGroups = no_emoji_groups();
    messages::GetEmojiKeywordsLanguages as emoji_languages -> Vec<enums::EmojiLanguage> = Vec::new();
    messages::GetQuickReplies as quick_replies -> enums::messages::QuickReplies = types::messages::QuickReplies {
        quick_replies: Vec::new(), messages: Vec::new(), chats: Vec::new(), users: Vec::new(),
    }.into();
    messages::GetDefaultHistoryTtl as default_ttl -> enums::DefaultHistoryTtl =
        types::DefaultHistoryTtl { period: 0 }.into();
    messages::SetDefaultHistoryTtl as set_default_ttl -> bool = true;
    messages::GetSavedDialogs as saved_dialogs -> enums::messages::SavedDialogs = no_saved_dialogs();
    messages::GetPinnedSavedDialogs as pinned_saved -> enums::messages::SavedDialogs = no_saved_dialogs();
    messages::GetSponsoredMessages as sponsored -> enums::messages::SponsoredMessages =
        enums::messages::SponsoredMessages::Empty;
    messages::GetSplitRanges as split_ranges -> Vec<enums::MessageRange> =
        vec![types::MessageRange { min_id: 1, max_id: i32::MAX }.into()];
    messages::ReportMessagesDelivery as report_delivery -> bool = true;
    messages::GetPaidReactionPrivacy as paid_reaction_privacy -> enums::Updates = no_updates();
    messages::GetEmojiGameInfo as emoji_game -> enums::messages::EmojiGameInfo =
        enums::messages::EmojiGameInfo::EmojiGameUnavailable;
    messages::ReceivedQueue as received_queue -> Vec<i64> = Vec::new();
    stories::GetAllStories as all_stories -> enums::stories::AllStories = types::stories::AllStories {
        has_more: false,
        count: 0,
        state: "0".to_owned(),
        peer_stories: Vec::new(),
        chats: Vec::new(),
        users: Vec::new(),
        stealth_mode: types::StoriesStealthMode { active_until_date: None, cooldown_until_date: None }.into(),
    }.into();
    stories::GetAllReadPeerStories as read_stories -> enums::Updates = no_updates();
    stories::GetPinnedStories as pinned_stories -> enums::stories::Stories = no_stories();
    stories::GetStoriesArchive as stories_archive -> enums::stories::Stories = no_stories();
    stories::GetStoriesById as stories_by_id -> enums::stories::Stories = no_stories();
    stories::GetAlbums as story_albums -> enums::stories::Albums =
        types::stories::Albums { hash: 0, albums: Vec::new() }.into();
    stories::GetChatsToSend as story_chats -> enums::messages::Chats =
        types::messages::Chats { chats: Vec::new() }.into();
    payments::GetStarsTopupOptions as stars_topup -> Vec<enums::StarsTopupOption> = Vec::new();
    payments::GetStarsGiftOptions as stars_gift -> Vec<enums::StarsGiftOption> = Vec::new();
    payments::GetStarsGiveawayOptions as stars_giveaway -> Vec<enums::StarsGiveawayOption> = Vec::new();
    payments::GetPremiumGiftCodeOptions as premium_gifts -> Vec<enums::PremiumGiftCodeOption> = Vec::new();
    payments::GetStarsStatus as stars_status -> enums::payments::StarsStatus = no_stars();
    payments::GetStarsTransactions as stars_transactions -> enums::payments::StarsStatus = no_stars();
    payments::GetStarsSubscriptions as stars_subscriptions -> enums::payments::StarsStatus = no_stars();
    payments::GetStarGifts as star_gifts -> enums::payments::StarGifts = types::payments::StarGifts {
        hash: 0, gifts: Vec::new(), chats: Vec::new(), users: Vec::new(),
    }.into();
    payments::GetStarGiftActiveAuctions as gift_auctions -> enums::payments::StarGiftActiveAuctions =
        types::payments::StarGiftActiveAuctions { auctions: Vec::new(), users: Vec::new(), chats: Vec::new() }.into();
    payments::GetStarGiftCollections as gift_collections -> enums::payments::StarGiftCollections =
        types::payments::StarGiftCollections { collections: Vec::new() }.into();
    payments::GetSavedInfo as saved_info -> enums::payments::SavedInfo =
        types::payments::SavedInfo { has_saved_credentials: false, saved_info: None }.into();
    premium::GetMyBoosts as my_boosts -> enums::premium::MyBoosts =
        types::premium::MyBoosts { my_boosts: Vec::new(), chats: Vec::new(), users: Vec::new() }.into();
}

fn all_reactions() -> enums::messages::Reactions {
    let reaction = |emoji: &&str| {
        let emoticon = (*emoji).to_owned();
        types::ReactionEmoji { emoticon }.into()
    };
    types::messages::Reactions {
        hash: 0,
        reactions: AVAILABLE.iter().map(reaction).collect(),
    }
    .into()
}

fn no_reactions() -> enums::messages::Reactions {
    types::messages::Reactions {
        hash: 0,
        reactions: Vec::new(),
    }
    .into()
}

fn no_sticker_sets() -> enums::messages::AllStickers {
    types::messages::AllStickers {
        hash: 0,
        sets: Vec::new(),
    }
    .into()
}

fn no_featured() -> enums::messages::FeaturedStickers {
    types::messages::FeaturedStickers {
        premium: false,
        hash: 0,
        count: 0,
        sets: Vec::new(),
        unread: Vec::new(),
    }
    .into()
}

fn no_emoji() -> enums::EmojiList {
    types::EmojiList {
        hash: 0,
        document_id: Vec::new(),
    }
    .into()
}

fn no_emoji_groups() -> enums::messages::EmojiGroups {
    types::messages::EmojiGroups {
        hash: 0,
        groups: Vec::new(),
    }
    .into()
}

fn no_saved_dialogs() -> enums::messages::SavedDialogs {
    let (dialogs, messages, chats, users) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    types::messages::SavedDialogs {
        dialogs,
        messages,
        chats,
        users,
    }
    .into()
}

fn no_stories() -> enums::stories::Stories {
    let (stories, chats, users) = (Vec::new(), Vec::new(), Vec::new());
    types::stories::Stories {
        count: 0,
        stories,
        pinned_to_top: None,
        chats,
        users,
    }
    .into()
}

fn no_updates() -> enums::Updates {
    let (updates, users, chats) = (Vec::new(), Vec::new(), Vec::new());
    types::Updates {
        updates,
        users,
        chats,
        date: 0,
        seq: 0,
    }
    .into()
}

fn no_stars() -> enums::payments::StarsStatus {
    types::payments::StarsStatus {
        balance: types::StarsAmount {
            amount: 0,
            nanos: 0,
        }
        .into(),
        subscriptions: None,
        subscriptions_next_offset: None,
        subscriptions_missing_balance: None,
        history: None,
        next_offset: None,
        chats: Vec::new(),
        users: Vec::new(),
    }
    .into()
}

fn no_messages() -> enums::messages::Messages {
    let (messages, topics, chats, users) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    types::messages::Messages {
        messages,
        topics,
        chats,
        users,
    }
    .into()
}

fn no_keywords(lang_code: String) -> enums::EmojiKeywordsDifference {
    types::EmojiKeywordsDifference {
        lang_code,
        from_version: 0,
        version: 1,
        keywords: Vec::new(),
    }
    .into()
}

fn emoji_keywords(
    _: &mut World,
    call: &Call,
    request: functions::messages::GetEmojiKeywords,
) -> Result<enums::EmojiKeywordsDifference, RpcError> {
    call.user()?;
    Ok(no_keywords(request.lang_code))
}

fn emoji_keywords_difference(
    _: &mut World,
    call: &Call,
    request: functions::messages::GetEmojiKeywordsDifference,
) -> Result<enums::EmojiKeywordsDifference, RpcError> {
    call.user()?;
    Ok(no_keywords(request.lang_code))
}

fn sticker_set(
    world: &mut World,
    call: &Call,
    request: functions::messages::GetStickerSet,
) -> Result<enums::messages::StickerSet, RpcError> {
    call.user()?;
    world
        .tl_sticker_set(&request.stickerset)
        .ok_or_else(|| RpcError::new(406, "STICKERSET_INVALID"))
}

fn scheduled_history(
    world: &mut World,
    call: &Call,
    request: functions::messages::GetScheduledHistory,
) -> Result<enums::messages::Messages, RpcError> {
    world.peer(call.user()?, &request.peer)?;
    Ok(no_messages())
}

fn recent_locations(
    world: &mut World,
    call: &Call,
    request: functions::messages::GetRecentLocations,
) -> Result<enums::messages::Messages, RpcError> {
    world.peer(call.user()?, &request.peer)?;
    Ok(no_messages())
}

fn unread_reactions(
    world: &mut World,
    call: &Call,
    request: functions::messages::GetUnreadReactions,
) -> Result<enums::messages::Messages, RpcError> {
    world.peer(call.user()?, &request.peer)?;
    Ok(no_messages())
}

fn read_reactions(
    world: &mut World,
    call: &Call,
    request: functions::messages::ReadReactions,
) -> Result<enums::messages::AffectedHistory, RpcError> {
    let user_id = call.user()?;
    world.peer(user_id, &request.peer)?;
    let pts = world.unaffected(user_id).pts;
    Ok(types::messages::AffectedHistory {
        pts,
        pts_count: 0,
        offset: 0,
    }
    .into())
}

fn saved_history(
    world: &mut World,
    call: &Call,
    request: functions::messages::GetSavedHistory,
) -> Result<enums::messages::Messages, RpcError> {
    let user_id = call.user()?;
    let origin = world.peer(user_id, &request.peer)?;
    let window = crate::world::history::Window {
        offset_id: request.offset_id,
        offset_date: request.offset_date,
        add_offset: request.add_offset,
        limit: request.limit,
        max_id: request.max_id,
        min_id: request.min_id,
    };
    Ok(world.saved_history(user_id, origin, window, request.hash))
}

fn peer_stories(
    world: &mut World,
    call: &Call,
    request: functions::stories::GetPeerStories,
) -> Result<enums::stories::PeerStories, RpcError> {
    let user_id = call.user()?;
    let peer = world.peer(user_id, &request.peer)?;
    let stories = types::PeerStories {
        peer: peer.to_tl(),
        max_read_id: None,
        stories: Vec::new(),
    }
    .into();
    let (users, chats) = world.describe(user_id, &Named::of(&[peer]));
    Ok(types::stories::PeerStories {
        stories,
        chats,
        users,
    }
    .into())
}

fn stories_max_ids(
    _: &mut World,
    call: &Call,
    request: functions::stories::GetPeerMaxIds,
) -> Result<Vec<enums::RecentStory>, RpcError> {
    call.user()?;
    Ok(request
        .id
        .iter()
        .map(|_| {
            types::RecentStory {
                live: false,
                max_id: None,
            }
            .into()
        })
        .collect())
}

fn boosts_status(
    world: &mut World,
    call: &Call,
    request: functions::premium::GetBoostsStatus,
) -> Result<enums::premium::BoostsStatus, RpcError> {
    world.peer(call.user()?, &request.peer)?;
    Ok(types::premium::BoostsStatus {
        my_boost: false,
        level: 0,
        current_level_boosts: 0,
        boosts: 0,
        gift_boosts: None,
        next_level_boosts: Some(1),
        premium_audience: None,
        boost_url: "https://t.me/boost".to_owned(),
        prepaid_giveaways: None,
        my_boost_slots: None,
    }
    .into())
}
