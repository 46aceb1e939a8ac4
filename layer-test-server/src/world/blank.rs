//! Constructors with every optional field absent.
//!
//! A Telegram type has up to eighty fields, most of which this server never fills; each is written out here once, and
//! the rest of the crate says only what differs, by struct update syntax.

use layer_tl_types::{enums, types};

/// A `user` that has nothing but its id.
pub(crate) fn user(id: i64) -> types::User {
    types::User {
        is_self: false,
        contact: false,
        mutual_contact: false,
        deleted: false,
        bot: false,
        bot_chat_history: false,
        bot_nochats: false,
        verified: false,
        restricted: false,
        min: false,
        bot_inline_geo: false,
        support: false,
        scam: false,
        apply_min_photo: false,
        fake: false,
        bot_attach_menu: false,
        premium: false,
        attach_menu_enabled: false,
        bot_can_edit: false,
        close_friend: false,
        stories_hidden: false,
        stories_unavailable: false,
        contact_require_premium: false,
        bot_business: false,
        bot_has_main_app: false,
        bot_forum_view: false,
        bot_forum_can_manage_topics: false,
        id,
        access_hash: None,
        first_name: None,
        last_name: None,
        username: None,
        phone: None,
        photo: None,
        status: None,
        bot_info_version: None,
        restriction_reason: None,
        bot_inline_placeholder: None,
        lang_code: None,
        emoji_status: None,
        usernames: None,
        stories_max_id: None,
        color: None,
        profile_color: None,
        bot_active_users: None,
        bot_verification_icon: None,
        send_paid_messages_stars: None,
    }
}

/// A basic group, all flags off.
pub(crate) fn chat(
    id: i64,
    title: String,
    photo: enums::ChatPhoto,
    participants_count: i32,
    date: i32,
    version: i32,
) -> types::Chat {
    types::Chat {
        creator: false,
        left: false,
        deactivated: false,
        call_active: false,
        call_not_empty: false,
        noforwards: false,
        id,
        title,
        photo,
        participants_count,
        date,
        version,
        migrated_to: None,
        admin_rights: None,
        default_banned_rights: None,
    }
}

/// A channel or supergroup, all flags off.
pub(crate) fn channel(
    id: i64,
    title: String,
    photo: enums::ChatPhoto,
    date: i32,
) -> types::Channel {
    types::Channel {
        creator: false,
        left: false,
        broadcast: false,
        verified: false,
        megagroup: false,
        restricted: false,
        signatures: false,
        min: false,
        scam: false,
        has_link: false,
        has_geo: false,
        slowmode_enabled: false,
        call_active: false,
        call_not_empty: false,
        fake: false,
        gigagroup: false,
        noforwards: false,
        join_to_send: false,
        join_request: false,
        forum: false,
        stories_hidden: false,
        stories_hidden_min: false,
        stories_unavailable: false,
        signature_profiles: false,
        autotranslation: false,
        broadcast_messages_allowed: false,
        monoforum: false,
        forum_tabs: false,
        id,
        access_hash: None,
        title,
        username: None,
        photo,
        date,
        restriction_reason: None,
        admin_rights: None,
        banned_rights: None,
        default_banned_rights: None,
        participants_count: None,
        usernames: None,
        stories_max_id: None,
        color: None,
        profile_color: None,
        emoji_status: None,
        level: None,
        subscription_until_date: None,
        bot_verification_icon: None,
        send_paid_messages_stars: None,
        linked_monoforum_id: None,
    }
}

/// A text message, all flags off.
pub(crate) fn message(id: i32, peer_id: enums::Peer, date: i32, message: String) -> types::Message {
    types::Message {
        out: false,
        mentioned: false,
        media_unread: false,
        silent: false,
        post: false,
        from_scheduled: false,
        legacy: false,
        edit_hide: false,
        pinned: false,
        noforwards: false,
        invert_media: false,
        offline: false,
        video_processing_pending: false,
        paid_suggested_post_stars: false,
        paid_suggested_post_ton: false,
        id,
        from_id: None,
        from_boosts_applied: None,
        from_rank: None,
        peer_id,
        saved_peer_id: None,
        fwd_from: None,
        via_bot_id: None,
        via_business_bot_id: None,
        reply_to: None,
        date,
        message,
        media: None,
        reply_markup: None,
        entities: None,
        views: None,
        forwards: None,
        replies: None,
        edit_date: None,
        post_author: None,
        grouped_id: None,
        reactions: None,
        restriction_reason: None,
        ttl_period: None,
        quick_reply_shortcut_id: None,
        effect: None,
        factcheck: None,
        report_delivery_until_date: None,
        paid_message_stars: None,
        suggested_post: None,
        schedule_repeat_period: None,
        summary_from_language: None,
    }
}

/// A service message, all flags off.
pub(crate) fn service_message(
    id: i32,
    peer_id: enums::Peer,
    date: i32,
    action: enums::MessageAction,
) -> types::MessageService {
    types::MessageService {
        out: false,
        mentioned: false,
        media_unread: false,
        reactions_are_possible: false,
        silent: false,
        post: false,
        legacy: false,
        id,
        from_id: None,
        peer_id,
        saved_peer_id: None,
        reply_to: None,
        date,
        action,
        reactions: None,
        ttl_period: None,
    }
}

/// A `userFull` with the required fields only.
pub(crate) fn user_full(
    id: i64,
    settings: enums::PeerSettings,
    notify_settings: enums::PeerNotifySettings,
    common_chats_count: i32,
) -> types::UserFull {
    types::UserFull {
        blocked: false,
        phone_calls_available: false,
        phone_calls_private: false,
        can_pin_message: false,
        has_scheduled: false,
        video_calls_available: false,
        voice_messages_forbidden: false,
        translations_disabled: false,
        stories_pinned_available: false,
        blocked_my_stories_from: false,
        wallpaper_overridden: false,
        contact_require_premium: false,
        read_dates_private: false,
        sponsored_enabled: false,
        can_view_revenue: false,
        bot_can_manage_emoji_status: false,
        display_gifts_button: false,
        noforwards_my_enabled: false,
        noforwards_peer_enabled: false,
        id,
        about: None,
        settings,
        personal_photo: None,
        profile_photo: None,
        fallback_photo: None,
        notify_settings,
        bot_info: None,
        pinned_msg_id: None,
        common_chats_count,
        folder_id: None,
        ttl_period: None,
        theme: None,
        private_forward_name: None,
        bot_group_admin_rights: None,
        bot_broadcast_admin_rights: None,
        wallpaper: None,
        stories: None,
        business_work_hours: None,
        business_location: None,
        business_greeting_message: None,
        business_away_message: None,
        business_intro: None,
        birthday: None,
        personal_channel_id: None,
        personal_channel_message: None,
        stargifts_count: None,
        starref_program: None,
        bot_verification: None,
        send_paid_messages_stars: None,
        disallowed_gifts: None,
        stars_rating: None,
        stars_my_pending_rating: None,
        stars_my_pending_rating_date: None,
        main_tab: None,
        saved_music: None,
        note: None,
    }
}

/// A `chatFull` with the required fields only.
pub(crate) fn chat_full(
    id: i64,
    about: String,
    participants: enums::ChatParticipants,
    notify_settings: enums::PeerNotifySettings,
) -> types::ChatFull {
    types::ChatFull {
        can_set_username: false,
        has_scheduled: false,
        translations_disabled: false,
        id,
        about,
        participants,
        chat_photo: None,
        notify_settings,
        exported_invite: None,
        bot_info: None,
        pinned_msg_id: None,
        folder_id: None,
        call: None,
        ttl_period: None,
        groupcall_default_join_as: None,
        theme_emoticon: None,
        requests_pending: None,
        recent_requesters: None,
        available_reactions: None,
        reactions_limit: None,
    }
}

/// A `channelFull` with the required fields only.
#[expect(clippy::too_many_arguments, reason = "the required fields of the type")]
pub(crate) fn channel_full(
    id: i64,
    about: String,
    read_inbox_max_id: i32,
    read_outbox_max_id: i32,
    unread_count: i32,
    chat_photo: enums::Photo,
    notify_settings: enums::PeerNotifySettings,
    bot_info: Vec<enums::BotInfo>,
    pts: i32,
) -> types::ChannelFull {
    types::ChannelFull {
        can_view_participants: false,
        can_set_username: false,
        can_set_stickers: false,
        hidden_prehistory: false,
        can_set_location: false,
        has_scheduled: false,
        can_view_stats: false,
        blocked: false,
        can_delete_channel: false,
        antispam: false,
        participants_hidden: false,
        translations_disabled: false,
        stories_pinned_available: false,
        view_forum_as_messages: false,
        restricted_sponsored: false,
        can_view_revenue: false,
        paid_media_allowed: false,
        can_view_stars_revenue: false,
        paid_reactions_available: false,
        stargifts_available: false,
        paid_messages_available: false,
        id,
        about,
        participants_count: None,
        admins_count: None,
        kicked_count: None,
        banned_count: None,
        online_count: None,
        read_inbox_max_id,
        read_outbox_max_id,
        unread_count,
        chat_photo,
        notify_settings,
        exported_invite: None,
        bot_info,
        migrated_from_chat_id: None,
        migrated_from_max_id: None,
        pinned_msg_id: None,
        stickerset: None,
        available_min_id: None,
        folder_id: None,
        linked_chat_id: None,
        location: None,
        slowmode_seconds: None,
        slowmode_next_send_date: None,
        stats_dc: None,
        pts,
        call: None,
        ttl_period: None,
        pending_suggestions: None,
        groupcall_default_join_as: None,
        theme_emoticon: None,
        requests_pending: None,
        recent_requesters: None,
        default_send_as: None,
        available_reactions: None,
        reactions_limit: None,
        stories: None,
        wallpaper: None,
        boosts_applied: None,
        boosts_unrestrict: None,
        emojiset: None,
        bot_verification: None,
        stargifts_count: None,
        send_paid_messages_stars: None,
        main_tab: None,
    }
}

/// A dialog, neither pinned nor marked.
#[expect(clippy::too_many_arguments, reason = "the required fields of the type")]
pub(crate) fn dialog(
    peer: enums::Peer,
    top_message: i32,
    read_inbox_max_id: i32,
    read_outbox_max_id: i32,
    unread_count: i32,
    unread_mentions_count: i32,
    unread_reactions_count: i32,
    notify_settings: enums::PeerNotifySettings,
) -> types::Dialog {
    types::Dialog {
        pinned: false,
        unread_mark: false,
        view_forum_as_messages: false,
        peer,
        top_message,
        read_inbox_max_id,
        read_outbox_max_id,
        unread_count,
        unread_mentions_count,
        unread_reactions_count,
        notify_settings,
        pts: None,
        draft: None,
        folder_id: None,
        ttl_period: None,
    }
}

/// Notification settings that say nothing: the defaults hold.
pub(crate) fn notify_settings() -> types::PeerNotifySettings {
    types::PeerNotifySettings {
        show_previews: None,
        silent: None,
        mute_until: None,
        ios_sound: None,
        android_sound: None,
        other_sound: None,
        stories_muted: None,
        stories_hide_sender: None,
        stories_ios_sound: None,
        stories_android_sound: None,
        stories_other_sound: None,
    }
}

/// No action bar for a peer.
pub(crate) fn peer_settings() -> types::PeerSettings {
    types::PeerSettings {
        report_spam: false,
        add_contact: false,
        block_contact: false,
        share_contact: false,
        need_contacts_exception: false,
        report_geo: false,
        autoarchived: false,
        invite_members: false,
        request_chat_broadcast: false,
        business_bot_paused: false,
        business_bot_can_reply: false,
        geo_distance: None,
        request_chat_title: None,
        request_chat_date: None,
        business_bot_id: None,
        business_bot_manage_url: None,
        charge_paid_message_stars: None,
        registration_month: None,
        phone_country: None,
        name_change_date: None,
        photo_change_date: None,
    }
}

/// A forward header.
pub(crate) fn fwd_header(date: i32) -> types::MessageFwdHeader {
    types::MessageFwdHeader {
        imported: false,
        saved_out: false,
        from_id: None,
        from_name: None,
        date,
        channel_post: None,
        post_author: None,
        saved_from_peer: None,
        saved_from_msg_id: None,
        saved_from_id: None,
        saved_from_name: None,
        saved_date: None,
        psa_type: None,
    }
}

/// A reply header.
pub(crate) fn reply_header() -> types::MessageReplyHeader {
    types::MessageReplyHeader {
        reply_to_scheduled: false,
        forum_topic: false,
        quote: false,
        reply_to_msg_id: None,
        reply_to_peer_id: None,
        reply_from: None,
        reply_media: None,
        reply_to_top_id: None,
        quote_text: None,
        quote_entities: None,
        quote_offset: None,
        todo_item_id: None,
    }
}

/// No administrator rights.
pub(crate) fn no_admin_rights() -> types::ChatAdminRights {
    types::ChatAdminRights {
        change_info: false,
        post_messages: false,
        edit_messages: false,
        delete_messages: false,
        ban_users: false,
        invite_users: false,
        pin_messages: false,
        add_admins: false,
        anonymous: false,
        manage_call: false,
        other: false,
        manage_topics: false,
        post_stories: false,
        edit_stories: false,
        delete_stories: false,
        manage_direct_messages: false,
        manage_ranks: false,
    }
}

/// No restrictions.
pub(crate) fn no_banned_rights(until_date: i32) -> types::ChatBannedRights {
    types::ChatBannedRights {
        view_messages: false,
        send_messages: false,
        send_media: false,
        send_stickers: false,
        send_gifs: false,
        send_games: false,
        send_inline: false,
        embed_links: false,
        send_polls: false,
        change_info: false,
        invite_users: false,
        pin_messages: false,
        manage_topics: false,
        send_photos: false,
        send_videos: false,
        send_roundvideos: false,
        send_audios: false,
        send_voices: false,
        send_docs: false,
        send_plain: false,
        edit_rank: false,
        until_date,
    }
}

/// A bot without commands.
pub(crate) fn bot_info() -> types::BotInfo {
    types::BotInfo {
        has_preview_medias: false,
        user_id: None,
        description: None,
        description_photo: None,
        description_document: None,
        commands: None,
        menu_button: None,
        privacy_policy_url: None,
        app_settings: None,
        verifier_settings: None,
    }
}

/// A document.
#[expect(clippy::too_many_arguments, reason = "the required fields of the type")]
pub(crate) fn document(
    id: i64,
    access_hash: i64,
    file_reference: Vec<u8>,
    date: i32,
    mime_type: String,
    size: i64,
    dc_id: i32,
    attributes: Vec<enums::DocumentAttribute>,
) -> types::Document {
    types::Document {
        id,
        access_hash,
        file_reference,
        date,
        mime_type,
        size,
        thumbs: None,
        video_thumbs: None,
        dc_id,
        attributes,
    }
}

/// Media that is a document.
pub(crate) fn media_document() -> types::MessageMediaDocument {
    types::MessageMediaDocument {
        nopremium: false,
        spoiler: false,
        video: false,
        round: false,
        voice: false,
        document: None,
        alt_documents: None,
        video_cover: None,
        video_timestamp: None,
        ttl_seconds: None,
    }
}

/// An exported invite link.
pub(crate) fn invite(link: String, admin_id: i64, date: i32) -> types::ChatInviteExported {
    types::ChatInviteExported {
        revoked: false,
        permanent: false,
        request_needed: false,
        link,
        admin_id,
        date,
        start_date: None,
        expire_date: None,
        usage_limit: None,
        usage: None,
        requested: None,
        subscription_expired: None,
        title: None,
        subscription_pricing: None,
    }
}

/// What an invite link leads to.
pub(crate) fn chat_invite(
    title: String,
    photo: enums::Photo,
    participants_count: i32,
    color: i32,
) -> types::ChatInvite {
    types::ChatInvite {
        channel: false,
        broadcast: false,
        public: false,
        megagroup: false,
        request_needed: false,
        verified: false,
        scam: false,
        fake: false,
        can_refulfill_subscription: false,
        title,
        about: None,
        photo,
        participants_count,
        participants: None,
        color,
        subscription_pricing: None,
        subscription_form_id: None,
        bot_verification: None,
    }
}
