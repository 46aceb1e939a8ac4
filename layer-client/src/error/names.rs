// Made from data/errors.tsv; see `error::info`.

//! The names of Telegram's errors, so that the compiler sees a slip of the pen: `error.is(PEER_ID_INVALID)`.

/// an account with two-step verification is deleted a week after it was asked for, unless its owner objects.
pub const _2FA_CONFIRM_WAIT: &str = "2FA_CONFIRM_WAIT";
/// the text about the account is too long.
pub const ABOUT_TOO_LONG: &str = "ABOUT_TOO_LONG";
/// the bot's token was replaced.
pub const ACCESS_TOKEN_EXPIRED: &str = "ACCESS_TOKEN_EXPIRED";
/// there is no bot with this token.
pub const ACCESS_TOKEN_INVALID: &str = "ACCESS_TOKEN_INVALID";
/// only an account that is signed in may do this.
pub const ACTIVE_USER_REQUIRED: &str = "ACTIVE_USER_REQUIRED";
/// the chat has as many administrators as it may.
pub const ADMINS_TOO_MUCH: &str = "ADMINS_TOO_MUCH";
/// there is no such administrator.
pub const ADMIN_ID_INVALID: &str = "ADMIN_ID_INVALID";
/// an administrator's title has no emoji.
pub const ADMIN_RANK_EMOJI_NOT_ALLOWED: &str = "ADMIN_RANK_EMOJI_NOT_ALLOWED";
/// this cannot be an administrator's title.
pub const ADMIN_RANK_INVALID: &str = "ADMIN_RANK_INVALID";
/// the button asks for rights and names none.
pub const ADMIN_RIGHTS_EMPTY: &str = "ADMIN_RIGHTS_EMPTY";
/// there are as many profile photos as there may be.
pub const ALBUM_PHOTOS_TOO_MANY: &str = "ALBUM_PHOTOS_TOO_MANY";
/// the other side takes Stars for a message; the number is how many.
pub const ALLOW_PAYMENT_REQUIRED: &str = "ALLOW_PAYMENT_REQUIRED";
/// anonymous administrators do not react.
pub const ANONYMOUS_REACTIONS_DISABLED: &str = "ANONYMOUS_REACTIONS_DISABLED";
/// the api_id and api_hash do not belong together.
pub const API_ID_INVALID: &str = "API_ID_INVALID";
/// this api_id was made public and is blocked.
pub const API_ID_PUBLISHED_FLOOD: &str = "API_ID_PUBLISHED_FLOOD";
/// the article's title is missing.
pub const ARTICLE_TITLE_EMPTY: &str = "ARTICLE_TITLE_EMPTY";
/// the audio's link is missing.
pub const AUDIO_CONTENT_URL_EMPTY: &str = "AUDIO_CONTENT_URL_EMPTY";
/// the audio's title is missing.
pub const AUDIO_TITLE_EMPTY: &str = "AUDIO_TITLE_EMPTY";
/// the exported authorisation is not valid, or was used.
pub const AUTH_BYTES_INVALID: &str = "AUTH_BYTES_INVALID";
/// one session was used over two connections at once, and Telegram has ended it.
pub const AUTH_KEY_DUPLICATED: &str = "AUTH_KEY_DUPLICATED";
/// the server does not accept the auth key.
pub const AUTH_KEY_INVALID: &str = "AUTH_KEY_INVALID";
/// a temporary key was used that is bound to no permanent one.
pub const AUTH_KEY_PERM_EMPTY: &str = "AUTH_KEY_PERM_EMPTY";
/// the key is signed in as nobody.
pub const AUTH_KEY_UNREGISTERED: &str = "AUTH_KEY_UNREGISTERED";
/// the server lost the sign-in.
pub const AUTH_RESTART: &str = "AUTH_RESTART";
/// the QR code was used already.
pub const AUTH_TOKEN_ALREADY_ACCEPTED: &str = "AUTH_TOKEN_ALREADY_ACCEPTED";
/// the QR code could not be taken.
pub const AUTH_TOKEN_EXCEPTION: &str = "AUTH_TOKEN_EXCEPTION";
/// the QR code is too old.
pub const AUTH_TOKEN_EXPIRED: &str = "AUTH_TOKEN_EXPIRED";
/// this is no QR code to sign in with.
pub const AUTH_TOKEN_INVALID: &str = "AUTH_TOKEN_INVALID";
/// this is no QR code to sign in with.
pub const AUTH_TOKEN_INVALIDX: &str = "AUTH_TOKEN_INVALIDX";
/// this account may not archive chats of strangers by itself.
pub const AUTOARCHIVE_NOT_AVAILABLE: &str = "AUTOARCHIVE_NOT_AVAILABLE";
/// there are not enough Stars.
pub const BALANCE_TOO_LOW: &str = "BALANCE_TOO_LOW";
/// this is no number of a card.
pub const BANK_CARD_NUMBER_INVALID: &str = "BANK_CARD_NUMBER_INVALID";
/// these rights cannot be taken away.
pub const BANNED_RIGHTS_INVALID: &str = "BANNED_RIGHTS_INVALID";
/// there is no such day.
pub const BIRTHDAY_INVALID: &str = "BIRTHDAY_INVALID";
/// the channel has too few boosts.
pub const BOOSTS_REQUIRED: &str = "BOOSTS_REQUIRED";
/// the chat has as many bots as it may.
pub const BOTS_TOO_MUCH: &str = "BOTS_TOO_MUCH";
/// there is no such app.
pub const BOT_APP_INVALID: &str = "BOT_APP_INVALID";
/// bots do not change administrators here.
pub const BOT_CHANNELS_NA: &str = "BOT_CHANNELS_NA";
/// a command's description cannot be used.
pub const BOT_COMMAND_DESCRIPTION_INVALID: &str = "BOT_COMMAND_DESCRIPTION_INVALID";
/// this cannot be a command.
pub const BOT_COMMAND_INVALID: &str = "BOT_COMMAND_INVALID";
/// the link's domain is not the bot's.
pub const BOT_DOMAIN_INVALID: &str = "BOT_DOMAIN_INVALID";
/// the bot has no games.
pub const BOT_GAMES_DISABLED: &str = "BOT_GAMES_DISABLED";
/// the bot does not join groups.
pub const BOT_GROUPS_BLOCKED: &str = "BOT_GROUPS_BLOCKED";
/// the bot is not an inline bot.
pub const BOT_INLINE_DISABLED: &str = "BOT_INLINE_DISABLED";
/// there is no such bot.
pub const BOT_INVALID: &str = "BOT_INVALID";
/// bots may not call this method.
pub const BOT_METHOD_INVALID: &str = "BOT_METHOD_INVALID";
/// only bots may do this.
pub const BOT_MISSING: &str = "BOT_MISSING";
/// a bot pins for both sides.
pub const BOT_ONESIDE_NOT_AVAIL: &str = "BOT_ONESIDE_NOT_AVAIL";
/// the bot takes no payments.
pub const BOT_PAYMENTS_DISABLED: &str = "BOT_PAYMENTS_DISABLED";
/// bots do not vote.
pub const BOT_POLLS_DISABLED: &str = "BOT_POLLS_DISABLED";
/// the bot did not answer in time.
pub const BOT_RESPONSE_TIMEOUT: &str = "BOT_RESPONSE_TIMEOUT";
/// the score is not higher than before.
pub const BOT_SCORE_NOT_MODIFIED: &str = "BOT_SCORE_NOT_MODIFIED";
/// who voted or reacted in a channel is not told.
pub const BROADCAST_FORBIDDEN: &str = "BROADCAST_FORBIDDEN";
/// there is no such channel.
pub const BROADCAST_ID_INVALID: &str = "BROADCAST_ID_INVALID";
/// a poll with public votes may not be in a channel.
pub const BROADCAST_PUBLIC_VOTERS_FORBIDDEN: &str = "BROADCAST_PUBLIC_VOTERS_FORBIDDEN";
/// this is for channels only.
pub const BROADCAST_REQUIRED: &str = "BROADCAST_REQUIRED";
/// there is no such business connection.
pub const BUSINESS_CONNECTION_INVALID: &str = "BUSINESS_CONNECTION_INVALID";
/// a business connection may not do this.
pub const BUSINESS_CONNECTION_NOT_ALLOWED: &str = "BUSINESS_CONNECTION_NOT_ALLOWED";
/// the business connection does not reach this chat.
pub const BUSINESS_PEER_INVALID: &str = "BUSINESS_PEER_INVALID";
/// a button's data cannot be used.
pub const BUTTON_DATA_INVALID: &str = "BUTTON_DATA_INVALID";
/// there is no such button.
pub const BUTTON_ID_INVALID: &str = "BUTTON_ID_INVALID";
/// a button that pays or plays has to be the first.
pub const BUTTON_POS_INVALID: &str = "BUTTON_POS_INVALID";
/// a button's text cannot be used.
pub const BUTTON_TEXT_INVALID: &str = "BUTTON_TEXT_INVALID";
/// a button is of a kind that cannot be used here.
pub const BUTTON_TYPE_INVALID: &str = "BUTTON_TYPE_INVALID";
/// a button's link cannot be used.
pub const BUTTON_URL_INVALID: &str = "BUTTON_URL_INVALID";
/// a button's user is not known.
pub const BUTTON_USER_INVALID: &str = "BUTTON_USER_INVALID";
/// the user allows no button that leads to them.
pub const BUTTON_USER_PRIVACY_RESTRICTED: &str = "BUTTON_USER_PRIVACY_RESTRICTED";
/// the call was taken already.
pub const CALL_ALREADY_ACCEPTED: &str = "CALL_ALREADY_ACCEPTED";
/// the call was refused already.
pub const CALL_ALREADY_DECLINED: &str = "CALL_ALREADY_DECLINED";
/// the user is in another call.
pub const CALL_OCCUPY_FAILED: &str = "CALL_OCCUPY_FAILED";
/// there is no such call.
pub const CALL_PEER_INVALID: &str = "CALL_PEER_INVALID";
/// the two sides have no protocol in common.
pub const CALL_PROTOCOL_COMPAT_LAYER_INVALID: &str = "CALL_PROTOCOL_COMPAT_LAYER_INVALID";
/// the call's protocol has neither way to connect.
pub const CALL_PROTOCOL_FLAGS_INVALID: &str = "CALL_PROTOCOL_FLAGS_INVALID";
/// data centres of the CDN do not serve this method.
pub const CDN_METHOD_INVALID: &str = "CDN_METHOD_INVALID";
/// the file did not reach the CDN in time.
pub const CDN_UPLOAD_TIMEOUT: &str = "CDN_UPLOAD_TIMEOUT";
/// this account has too many groups with a place.
pub const CHANNELS_ADMIN_LOCATED_TOO_MUCH: &str = "CHANNELS_ADMIN_LOCATED_TOO_MUCH";
/// this account has too many public chats.
pub const CHANNELS_ADMIN_PUBLIC_TOO_MUCH: &str = "CHANNELS_ADMIN_PUBLIC_TOO_MUCH";
/// this account is in too many chats.
pub const CHANNELS_TOO_MUCH: &str = "CHANNELS_TOO_MUCH";
/// the group has no topics.
pub const CHANNEL_FORUM_MISSING: &str = "CHANNEL_FORUM_MISSING";
/// the server failed within.
pub const CHANNEL_ID_GENERATE_FAILED: &str = "CHANNEL_ID_GENERATE_FAILED";
/// there is no such supergroup.
pub const CHANNEL_ID_INVALID: &str = "CHANNEL_ID_INVALID";
/// the channel does not exist, or this account never met it.
pub const CHANNEL_INVALID: &str = "CHANNEL_INVALID";
/// a channel's direct messages do not serve this.
pub const CHANNEL_MONOFORUM_UNSUPPORTED: &str = "CHANNEL_MONOFORUM_UNSUPPORTED";
/// this account is not a member.
pub const CHANNEL_PARICIPANT_MISSING: &str = "CHANNEL_PARICIPANT_MISSING";
/// this account is not a member, or was banned.
pub const CHANNEL_PRIVATE: &str = "CHANNEL_PRIVATE";
/// the chat cannot be reached.
pub const CHANNEL_PUBLIC_GROUP_NA: &str = "CHANNEL_PUBLIC_GROUP_NA";
/// the chat has too many members for this.
pub const CHANNEL_TOO_BIG: &str = "CHANNEL_TOO_BIG";
/// a chat with more than 1000 members is not deleted like this.
pub const CHANNEL_TOO_LARGE: &str = "CHANNEL_TOO_LARGE";
/// the link is empty.
pub const CHATLINK_SLUG_EMPTY: &str = "CHATLINK_SLUG_EMPTY";
/// the link is not valid any more.
pub const CHATLINK_SLUG_EXPIRED: &str = "CHATLINK_SLUG_EXPIRED";
/// a shared folder excludes nothing.
pub const CHATLIST_EXCLUDE_INVALID: &str = "CHATLIST_EXCLUDE_INVALID";
/// the description is the same as before.
pub const CHAT_ABOUT_NOT_MODIFIED: &str = "CHAT_ABOUT_NOT_MODIFIED";
/// the description is too long.
pub const CHAT_ABOUT_TOO_LONG: &str = "CHAT_ABOUT_TOO_LONG";
/// this account may not invite.
pub const CHAT_ADMIN_INVITE_REQUIRED: &str = "CHAT_ADMIN_INVITE_REQUIRED";
/// only an administrator with the right to it may do this.
pub const CHAT_ADMIN_REQUIRED: &str = "CHAT_ADMIN_REQUIRED";
/// only the chat's owner may do this.
pub const CHAT_CREATOR_REQUIRED: &str = "CHAT_CREATOR_REQUIRED";
/// a channel's discussion group has no topics.
pub const CHAT_DISCUSSION_UNALLOWED: &str = "CHAT_DISCUSSION_UNALLOWED";
/// this account may not see the chat.
pub const CHAT_FORBIDDEN: &str = "CHAT_FORBIDDEN";
/// the chat's content may not be forwarded.
pub const CHAT_FORWARDS_RESTRICTED: &str = "CHAT_FORWARDS_RESTRICTED";
/// only members of the discussion group may comment.
pub const CHAT_GUEST_SEND_FORBIDDEN: &str = "CHAT_GUEST_SEND_FORBIDDEN";
/// the chat's id is missing.
pub const CHAT_ID_EMPTY: &str = "CHAT_ID_EMPTY";
/// the server failed within.
pub const CHAT_ID_GENERATE_FAILED: &str = "CHAT_ID_GENERATE_FAILED";
/// there is no such group.
pub const CHAT_ID_INVALID: &str = "CHAT_ID_INVALID";
/// there is no such group.
pub const CHAT_INVALID: &str = "CHAT_INVALID";
/// a permanent link does not expire.
pub const CHAT_INVITE_PERMANENT: &str = "CHAT_INVITE_PERMANENT";
/// a public group shows its history.
pub const CHAT_LINK_EXISTS: &str = "CHAT_LINK_EXISTS";
/// the server failed within.
pub const CHAT_MEMBERS_CHANNEL: &str = "CHAT_MEMBERS_CHANNEL";
/// nobody of those named could be added.
pub const CHAT_MEMBER_ADD_FAILED: &str = "CHAT_MEMBER_ADD_FAILED";
/// the chat is so already.
pub const CHAT_NOT_MODIFIED: &str = "CHAT_NOT_MODIFIED";
/// only a public group has requests to join.
pub const CHAT_PUBLIC_REQUIRED: &str = "CHAT_PUBLIC_REQUIRED";
/// this account may not write in the chat.
pub const CHAT_RESTRICTED: &str = "CHAT_RESTRICTED";
/// only the history with a person is deleted by dates.
pub const CHAT_REVOKE_DATE_UNSUPPORTED: &str = "CHAT_REVOKE_DATE_UNSUPPORTED";
/// music may not be sent to this chat.
pub const CHAT_SEND_AUDIOS_FORBIDDEN: &str = "CHAT_SEND_AUDIOS_FORBIDDEN";
/// files may not be sent to this chat.
pub const CHAT_SEND_DOCS_FORBIDDEN: &str = "CHAT_SEND_DOCS_FORBIDDEN";
/// games may not be sent to this chat.
pub const CHAT_SEND_GAME_FORBIDDEN: &str = "CHAT_SEND_GAME_FORBIDDEN";
/// GIFs may not be sent to this chat.
pub const CHAT_SEND_GIFS_FORBIDDEN: &str = "CHAT_SEND_GIFS_FORBIDDEN";
/// results of inline bots may not be sent to this chat.
pub const CHAT_SEND_INLINE_FORBIDDEN: &str = "CHAT_SEND_INLINE_FORBIDDEN";
/// media may not be sent to this chat.
pub const CHAT_SEND_MEDIA_FORBIDDEN: &str = "CHAT_SEND_MEDIA_FORBIDDEN";
/// photos may not be sent to this chat.
pub const CHAT_SEND_PHOTOS_FORBIDDEN: &str = "CHAT_SEND_PHOTOS_FORBIDDEN";
/// text may not be sent to this chat.
pub const CHAT_SEND_PLAIN_FORBIDDEN: &str = "CHAT_SEND_PLAIN_FORBIDDEN";
/// polls may not be sent to this chat.
pub const CHAT_SEND_POLL_FORBIDDEN: &str = "CHAT_SEND_POLL_FORBIDDEN";
/// video messages may not be sent to this chat.
pub const CHAT_SEND_ROUNDVIDEOS_FORBIDDEN: &str = "CHAT_SEND_ROUNDVIDEOS_FORBIDDEN";
/// stickers may not be sent to this chat.
pub const CHAT_SEND_STICKERS_FORBIDDEN: &str = "CHAT_SEND_STICKERS_FORBIDDEN";
/// videos may not be sent to this chat.
pub const CHAT_SEND_VIDEOS_FORBIDDEN: &str = "CHAT_SEND_VIDEOS_FORBIDDEN";
/// voice messages may not be sent to this chat.
pub const CHAT_SEND_VOICES_FORBIDDEN: &str = "CHAT_SEND_VOICES_FORBIDDEN";
/// the title is missing.
pub const CHAT_TITLE_EMPTY: &str = "CHAT_TITLE_EMPTY";
/// the group is too large to say who has read.
pub const CHAT_TOO_BIG: &str = "CHAT_TOO_BIG";
/// this account may not write here.
pub const CHAT_WRITE_FORBIDDEN: &str = "CHAT_WRITE_FORBIDDEN";
/// the code is missing.
pub const CODE_EMPTY: &str = "CODE_EMPTY";
/// the hash does not belong to this code.
pub const CODE_HASH_INVALID: &str = "CODE_HASH_INVALID";
/// the code is wrong.
pub const CODE_INVALID: &str = "CODE_INVALID";
/// the api_id is not known.
pub const CONNECTION_API_ID_INVALID: &str = "CONNECTION_API_ID_INVALID";
/// the program's version is missing.
pub const CONNECTION_APP_VERSION_EMPTY: &str = "CONNECTION_APP_VERSION_EMPTY";
/// the device's name is missing.
pub const CONNECTION_DEVICE_MODEL_EMPTY: &str = "CONNECTION_DEVICE_MODEL_EMPTY";
/// the language is not known.
pub const CONNECTION_LANG_CODE_INVALID: &str = "CONNECTION_LANG_CODE_INVALID";
/// this program may not use that language pack.
pub const CONNECTION_LANG_PACK_INVALID: &str = "CONNECTION_LANG_PACK_INVALID";
/// the server does not speak this layer.
pub const CONNECTION_LAYER_INVALID: &str = "CONNECTION_LAYER_INVALID";
/// the connection was not introduced with initConnection.
pub const CONNECTION_NOT_INITED: &str = "CONNECTION_NOT_INITED";
/// the system's version is missing.
pub const CONNECTION_SYSTEM_EMPTY: &str = "CONNECTION_SYSTEM_EMPTY";
/// the system's language is missing.
pub const CONNECTION_SYSTEM_LANG_CODE_EMPTY: &str = "CONNECTION_SYSTEM_LANG_CODE_EMPTY";
/// there is no contact to add.
pub const CONTACT_ADD_MISSING: &str = "CONTACT_ADD_MISSING";
/// there is no such user.
pub const CONTACT_ID_INVALID: &str = "CONTACT_ID_INVALID";
/// the user is not a contact.
pub const CONTACT_MISSING: &str = "CONTACT_MISSING";
/// the contact's name is missing.
pub const CONTACT_NAME_EMPTY: &str = "CONTACT_NAME_EMPTY";
/// there is no request.
pub const CONTACT_REQ_MISSING: &str = "CONTACT_REQ_MISSING";
/// the server could not begin the call.
pub const CREATE_CALL_FAILED: &str = "CREATE_CALL_FAILED";
/// the sum cannot be paid.
pub const CURRENCY_TOTAL_AMOUNT_INVALID: &str = "CURRENCY_TOTAL_AMOUNT_INVALID";
/// there are too many custom reactions.
pub const CUSTOM_REACTIONS_TOO_MANY: &str = "CUSTOM_REACTIONS_TOO_MANY";
/// the data cannot be used.
pub const DATA_INVALID: &str = "DATA_INVALID";
/// this is not JSON.
pub const DATA_JSON_INVALID: &str = "DATA_JSON_INVALID";
/// the data is too long.
pub const DATA_TOO_LONG: &str = "DATA_TOO_LONG";
/// the date is missing.
pub const DATE_EMPTY: &str = "DATE_EMPTY";
/// there is no such data centre, or it is the one that was asked.
pub const DC_ID_INVALID: &str = "DC_ID_INVALID";
/// the secret chat's key cannot be made of this.
pub const DH_G_A_INVALID: &str = "DH_G_A_INVALID";
/// the file cannot be used.
pub const DOCUMENT_INVALID: &str = "DOCUMENT_INVALID";
/// the link was made by a bot.
pub const EDIT_BOT_INVITE_FORBIDDEN: &str = "EDIT_BOT_INVITE_FORBIDDEN";
/// the confirmation is too old.
pub const EMAIL_HASH_EXPIRED: &str = "EMAIL_HASH_EXPIRED";
/// this is no e-mail address.
pub const EMAIL_INVALID: &str = "EMAIL_INVALID";
/// this e-mail address may not be used.
pub const EMAIL_NOT_ALLOWED: &str = "EMAIL_NOT_ALLOWED";
/// there is no sign-in e-mail to change.
pub const EMAIL_NOT_SETUP: &str = "EMAIL_NOT_SETUP";
/// the recovery e-mail is not confirmed; the number is the length of the code that was sent there.
pub const EMAIL_UNCONFIRMED: &str = "EMAIL_UNCONFIRMED";
/// the code from the e-mail is too old.
pub const EMAIL_VERIFY_EXPIRED: &str = "EMAIL_VERIFY_EXPIRED";
/// there is no theme of that emoji.
pub const EMOJI_INVALID: &str = "EMOJI_INVALID";
/// the emoji cannot be a profile photo.
pub const EMOJI_MARKUP_INVALID: &str = "EMOJI_MARKUP_INVALID";
/// the theme is the same as before.
pub const EMOJI_NOT_MODIFIED: &str = "EMOJI_NOT_MODIFIED";
/// the emoji is missing.
pub const EMOTICON_EMPTY: &str = "EMOTICON_EMPTY";
/// this emoji does not roll.
pub const EMOTICON_INVALID: &str = "EMOTICON_INVALID";
/// the emoji has no dice.
pub const EMOTICON_STICKERPACK_MISSING: &str = "EMOTICON_STICKERPACK_MISSING";
/// the binding message could not be decrypted.
pub const ENCRYPTED_MESSAGE_INVALID: &str = "ENCRYPTED_MESSAGE_INVALID";
/// the secret chat was taken already.
pub const ENCRYPTION_ALREADY_ACCEPTED: &str = "ENCRYPTION_ALREADY_ACCEPTED";
/// the secret chat was refused already.
pub const ENCRYPTION_ALREADY_DECLINED: &str = "ENCRYPTION_ALREADY_DECLINED";
/// the secret chat was refused.
pub const ENCRYPTION_DECLINED: &str = "ENCRYPTION_DECLINED";
/// there is no such secret chat.
pub const ENCRYPTION_ID_INVALID: &str = "ENCRYPTION_ID_INVALID";
/// the text has too many formatted parts.
pub const ENTITIES_TOO_LONG: &str = "ENTITIES_TOO_LONG";
/// a formatted part lies outside the text.
pub const ENTITY_BOUNDS_INVALID: &str = "ENTITY_BOUNDS_INVALID";
/// a mentioned user is not known.
pub const ENTITY_MENTION_USER_INVALID: &str = "ENTITY_MENTION_USER_INVALID";
/// the reason is missing.
pub const ERROR_TEXT_EMPTY: &str = "ERROR_TEXT_EMPTY";
/// the time at which the key expires is not that of its making.
pub const EXPIRES_AT_INVALID: &str = "EXPIRES_AT_INVALID";
/// this cannot be when a link expires.
pub const EXPIRE_DATE_INVALID: &str = "EXPIRE_DATE_INVALID";
/// the link cannot be used.
pub const EXTERNAL_URL_INVALID: &str = "EXTERNAL_URL_INVALID";
/// the client has to use file references.
pub const FILEREF_UPGRADE_NEEDED: &str = "FILEREF_UPGRADE_NEEDED";
/// the file is of the wrong type.
pub const FILE_CONTENT_TYPE_INVALID: &str = "FILE_CONTENT_TYPE_INVALID";
/// the file is empty.
pub const FILE_EMTPY: &str = "FILE_EMTPY";
/// there is no such file.
pub const FILE_ID_INVALID: &str = "FILE_ID_INVALID";
/// the file is larger than it may be.
pub const FILE_MAX_SIZE_EXCEEDED: &str = "FILE_MAX_SIZE_EXCEEDED";
/// the file is kept at another data centre.
pub const FILE_MIGRATE: &str = "FILE_MIGRATE";
/// the file has another number of parts.
pub const FILE_PARTS_INVALID: &str = "FILE_PARTS_INVALID";
/// the part has no bytes.
pub const FILE_PART_EMPTY: &str = "FILE_PART_EMPTY";
/// there is no part of this number.
pub const FILE_PART_INVALID: &str = "FILE_PART_INVALID";
/// a part has another length than the rest.
pub const FILE_PART_LENGTH_INVALID: &str = "FILE_PART_LENGTH_INVALID";
/// a part of the file did not arrive; the number is which.
pub const FILE_PART_MISSING: &str = "FILE_PART_MISSING";
/// a part has another length than those before.
pub const FILE_PART_SIZE_CHANGED: &str = "FILE_PART_SIZE_CHANGED";
/// this cannot be the length of a part.
pub const FILE_PART_SIZE_INVALID: &str = "FILE_PART_SIZE_INVALID";
/// a part has at most 512 KiB.
pub const FILE_PART_TOO_BIG: &str = "FILE_PART_TOO_BIG";
/// the parts are too small for a file of this size.
pub const FILE_PART_TOO_SMALL: &str = "FILE_PART_TOO_SMALL";
/// the file reference is missing.
pub const FILE_REFERENCE_EMPTY: &str = "FILE_REFERENCE_EMPTY";
/// the file reference is too old.
pub const FILE_REFERENCE_EXPIRED: &str = "FILE_REFERENCE_EXPIRED";
/// this is not the file's reference.
pub const FILE_REFERENCE_INVALID: &str = "FILE_REFERENCE_INVALID";
/// the file's title is missing.
pub const FILE_TITLE_EMPTY: &str = "FILE_TITLE_EMPTY";
/// the file's token is too old.
pub const FILE_TOKEN_EXPIRED: &str = "FILE_TOKEN_EXPIRED";
/// the file's token is too old.
pub const FILE_TOKEN_INVALID: &str = "FILE_TOKEN_INVALID";
/// the server could not keep the file.
pub const FILE_WRITE_EMPTY: &str = "FILE_WRITE_EMPTY";
/// there is no such folder.
pub const FILTER_ID_INVALID: &str = "FILTER_ID_INVALID";
/// the folder has no chats.
pub const FILTER_INCLUDE_EMPTY: &str = "FILTER_INCLUDE_EMPTY";
/// the filter cannot be used here.
pub const FILTER_NOT_SUPPORTED: &str = "FILTER_NOT_SUPPORTED";
/// the folder's name is missing.
pub const FILTER_TITLE_EMPTY: &str = "FILTER_TITLE_EMPTY";
/// the first name is empty or cannot be used.
pub const FIRSTNAME_INVALID: &str = "FIRSTNAME_INVALID";
/// there were too many requests.
pub const FLOOD: &str = "FLOOD";
/// files go at a lower speed without Telegram Premium.
pub const FLOOD_PREMIUM_WAIT: &str = "FLOOD_PREMIUM_WAIT";
/// too many sign-ins with numbers of the test servers.
pub const FLOOD_TEST_PHONE_WAIT: &str = "FLOOD_TEST_PHONE_WAIT";
/// the method was called too often.
pub const FLOOD_WAIT: &str = "FLOOD_WAIT";
/// there is no such folder.
pub const FOLDER_ID_INVALID: &str = "FOLDER_ID_INVALID";
/// the form is too old.
pub const FORM_EXPIRED: &str = "FORM_EXPIRED";
/// a group with topics does not allow it.
pub const FORUM_ENABLED: &str = "FORUM_ENABLED";
/// someone who has just become an administrator may not make others.
pub const FRESH_CHANGE_ADMINS_FORBIDDEN: &str = "FRESH_CHANGE_ADMINS_FORBIDDEN";
/// a session younger than a day may not change the number.
pub const FRESH_CHANGE_PHONE_FORBIDDEN: &str = "FRESH_CHANGE_PHONE_FORBIDDEN";
/// a session younger than a day may not end others.
pub const FRESH_RESET_AUTHORISATION_FORBIDDEN: &str = "FRESH_RESET_AUTHORISATION_FORBIDDEN";
/// bots do not address peers by a message.
pub const FROM_MESSAGE_BOT_DISABLED: &str = "FROM_MESSAGE_BOT_DISABLED";
/// the sender to search for is not known.
pub const FROM_PEER_INVALID: &str = "FROM_PEER_INVALID";
/// the account is frozen for breaking the terms of service and may not do this.
pub const FROZEN_METHOD_INVALID: &str = "FROZEN_METHOD_INVALID";
/// the account is frozen and cannot reach this chat.
pub const FROZEN_PARTICIPANT_MISSING: &str = "FROZEN_PARTICIPANT_MISSING";
/// a bot sends only its own games.
pub const GAME_BOT_INVALID: &str = "GAME_BOT_INVALID";
/// the topic "General" keeps its icon.
pub const GENERAL_MODIFY_ICON_FORBIDDEN: &str = "GENERAL_MODIFY_ICON_FORBIDDEN";
/// this is no place.
pub const GEO_POINT_INVALID: &str = "GEO_POINT_INVALID";
/// the GIF is of the wrong type.
pub const GIF_CONTENT_TYPE_INVALID: &str = "GIF_CONTENT_TYPE_INVALID";
/// there is no such GIF.
pub const GIF_ID_INVALID: &str = "GIF_ID_INVALID";
/// the graph is too old.
pub const GRAPH_EXPIRED_RELOAD: &str = "GRAPH_EXPIRED_RELOAD";
/// there is no such graph.
pub const GRAPH_INVALID_RELOAD: &str = "GRAPH_INVALID_RELOAD";
/// the graph is too old.
pub const GRAPH_OUTDATED_RELOAD: &str = "GRAPH_OUTDATED_RELOAD";
/// the server failed within.
pub const GROUPCALL_ADD_PARTICIPANTS_FAILED: &str = "GROUPCALL_ADD_PARTICIPANTS_FAILED";
/// the group call is over.
pub const GROUPCALL_ALREADY_DISCARDED: &str = "GROUPCALL_ALREADY_DISCARDED";
/// the group call has begun.
pub const GROUPCALL_ALREADY_STARTED: &str = "GROUPCALL_ALREADY_STARTED";
/// the group call is over.
pub const GROUPCALL_FORBIDDEN: &str = "GROUPCALL_FORBIDDEN";
/// there is no such group call.
pub const GROUPCALL_INVALID: &str = "GROUPCALL_INVALID";
/// this account is not in the group call.
pub const GROUPCALL_JOIN_MISSING: &str = "GROUPCALL_JOIN_MISSING";
/// the group call is so already.
pub const GROUPCALL_NOT_MODIFIED: &str = "GROUPCALL_NOT_MODIFIED";
/// the SSRC is taken.
pub const GROUPCALL_SSRC_DUPLICATE_MUCH: &str = "GROUPCALL_SSRC_DUPLICATE_MUCH";
/// the album cannot be forwarded.
pub const GROUPED_MEDIA_INVALID: &str = "GROUPED_MEDIA_INVALID";
/// there is no such session.
pub const HASH_INVALID: &str = "HASH_INVALID";
/// the request to join is gone, or was answered.
pub const HIDE_REQUESTER_MISSING: &str = "HIDE_REQUESTER_MISSING";
/// the server could not read the chat's history.
pub const HISTORY_GET_FAILED: &str = "HISTORY_GET_FAILED";
/// the image could not be read.
pub const IMAGE_PROCESS_FAILED: &str = "IMAGE_PROCESS_FAILED";
/// the export cannot be read.
pub const IMPORT_FILE_INVALID: &str = "IMPORT_FILE_INVALID";
/// the export is of an app that is not known.
pub const IMPORT_FORMAT_UNRECOGNIZED: &str = "IMPORT_FORMAT_UNRECOGNIZED";
/// there is no such import.
pub const IMPORT_ID_INVALID: &str = "IMPORT_ID_INVALID";
/// this is no link to a contact.
pub const IMPORT_TOKEN_INVALID: &str = "IMPORT_TOKEN_INVALID";
/// only the inline bot may edit this message.
pub const INLINE_BOT_REQUIRED: &str = "INLINE_BOT_REQUIRED";
/// the inline query is too old.
pub const INLINE_RESULT_EXPIRED: &str = "INLINE_RESULT_EXPIRED";
/// there is no such folder.
pub const INPUT_CHATLIST_INVALID: &str = "INPUT_CHATLIST_INVALID";
/// the server does not know a constructor in the request.
pub const INPUT_CONSTRUCTOR_INVALID: &str = "INPUT_CONSTRUCTOR_INVALID";
/// the server could not read the request.
pub const INPUT_FETCH_ERROR: &str = "INPUT_FETCH_ERROR";
/// the server could not read the request.
pub const INPUT_FETCH_FAIL: &str = "INPUT_FETCH_FAIL";
/// there is no such filter.
pub const INPUT_FILTER_INVALID: &str = "INPUT_FILTER_INVALID";
/// the server does not speak this layer.
pub const INPUT_LAYER_INVALID: &str = "INPUT_LAYER_INVALID";
/// the server does not know this method.
pub const INPUT_METHOD_INVALID: &str = "INPUT_METHOD_INVALID";
/// the request is too long.
pub const INPUT_REQUEST_TOO_LONG: &str = "INPUT_REQUEST_TOO_LONG";
/// there is no text.
pub const INPUT_TEXT_EMPTY: &str = "INPUT_TEXT_EMPTY";
/// the other account was deleted.
pub const INPUT_USER_DEACTIVATED: &str = "INPUT_USER_DEACTIVATED";
/// two data centres could not talk to each other.
pub const INTERDC_CALL_ERROR: &str = "INTERDC_CALL_ERROR";
/// two data centres could not talk to each other.
pub const INTERDC_CALL_RICH_ERROR: &str = "INTERDC_CALL_RICH_ERROR";
/// the folder has as many links as it may.
pub const INVITES_TOO_MUCH: &str = "INVITES_TOO_MUCH";
/// who takes part in a channel's name may not invite.
pub const INVITE_FORBIDDEN_WITH_JOINAS: &str = "INVITE_FORBIDDEN_WITH_JOINAS";
/// the link is empty.
pub const INVITE_HASH_EMPTY: &str = "INVITE_HASH_EMPTY";
/// the link is not valid any more.
pub const INVITE_HASH_EXPIRED: &str = "INVITE_HASH_EXPIRED";
/// this is no invite link.
pub const INVITE_HASH_INVALID: &str = "INVITE_HASH_INVALID";
/// the request to join was sent.
pub const INVITE_REQUEST_SENT: &str = "INVITE_REQUEST_SENT";
/// the link is not there, or not revoked.
pub const INVITE_REVOKED_MISSING: &str = "INVITE_REVOKED_MISSING";
/// the link is empty.
pub const INVITE_SLUG_EMPTY: &str = "INVITE_SLUG_EMPTY";
/// the link to the folder is not valid any more.
pub const INVITE_SLUG_EXPIRED: &str = "INVITE_SLUG_EXPIRED";
/// the invoice's payload cannot be used.
pub const INVOICE_PAYLOAD_INVALID: &str = "INVOICE_PAYLOAD_INVALID";
/// this account may not join in that name.
pub const JOIN_AS_PEER_INVALID: &str = "JOIN_AS_PEER_INVALID";
/// this is no code of a language.
pub const LANG_CODE_INVALID: &str = "LANG_CODE_INVALID";
/// there is no such language.
pub const LANG_CODE_NOT_SUPPORTED: &str = "LANG_CODE_NOT_SUPPORTED";
/// there is no such language pack.
pub const LANG_PACK_INVALID: &str = "LANG_PACK_INVALID";
/// the last name cannot be used.
pub const LASTNAME_INVALID: &str = "LASTNAME_INVALID";
/// this many cannot be asked for.
pub const LIMIT_INVALID: &str = "LIMIT_INVALID";
/// the discussion group is the same as before.
pub const LINK_NOT_MODIFIED: &str = "LINK_NOT_MODIFIED";
/// there is no such file.
pub const LOCATION_INVALID: &str = "LOCATION_INVALID";
/// the later date cannot be used.
pub const MAX_DATE_INVALID: &str = "MAX_DATE_INVALID";
/// there is no such id.
pub const MAX_ID_INVALID: &str = "MAX_ID_INVALID";
/// there is no such qts.
pub const MAX_QTS_INVALID: &str = "MAX_QTS_INVALID";
/// the file did not arrive as it was sent.
pub const MD5_CHECKSUM_INVALID: &str = "MD5_CHECKSUM_INVALID";
/// a caption has at most 1024 characters.
pub const MEDIA_CAPTION_TOO_LONG: &str = "MEDIA_CAPTION_TOO_LONG";
/// the media cannot be used.
pub const MEDIA_EMPTY: &str = "MEDIA_EMPTY";
/// the file cannot be used.
pub const MEDIA_FILE_INVALID: &str = "MEDIA_FILE_INVALID";
/// an album's parts are of the same kind.
pub const MEDIA_GROUPED_INVALID: &str = "MEDIA_GROUPED_INVALID";
/// the media cannot be used.
pub const MEDIA_INVALID: &str = "MEDIA_INVALID";
/// the new media cannot take the old one's place.
pub const MEDIA_NEW_INVALID: &str = "MEDIA_NEW_INVALID";
/// the message has no media that could be replaced.
pub const MEDIA_PREV_INVALID: &str = "MEDIA_PREV_INVALID";
/// the media does not last so long.
pub const MEDIA_TTL_INVALID: &str = "MEDIA_TTL_INVALID";
/// this cannot be a story.
pub const MEDIA_TYPE_INVALID: &str = "MEDIA_TYPE_INVALID";
/// only a video that was a story can be one again.
pub const MEDIA_VIDEO_STORY_MISSING: &str = "MEDIA_VIDEO_STORY_MISSING";
/// there is no such supergroup.
pub const MEGAGROUP_ID_INVALID: &str = "MEGAGROUP_ID_INVALID";
/// a group that hides its history cannot be a discussion group.
pub const MEGAGROUP_PREHISTORY_HIDDEN: &str = "MEGAGROUP_PREHISTORY_HIDDEN";
/// this is for supergroups only.
pub const MEGAGROUP_REQUIRED: &str = "MEGAGROUP_REQUIRED";
/// the server failed within.
pub const MEMBER_CHAT_ADD_FAILED: &str = "MEMBER_CHAT_ADD_FAILED";
/// the server failed within.
pub const MEMBER_NOT_FOUND: &str = "MEMBER_NOT_FOUND";
/// only the author may edit the message.
pub const MESSAGE_AUTHOR_REQUIRED: &str = "MESSAGE_AUTHOR_REQUIRED";
/// this account may not delete one of the messages.
pub const MESSAGE_DELETE_FORBIDDEN: &str = "MESSAGE_DELETE_FORBIDDEN";
/// the message is too old to be edited.
pub const MESSAGE_EDIT_TIME_EXPIRED: &str = "MESSAGE_EDIT_TIME_EXPIRED";
/// a message needs a text.
pub const MESSAGE_EMPTY: &str = "MESSAGE_EMPTY";
/// no message was named.
pub const MESSAGE_IDS_EMPTY: &str = "MESSAGE_IDS_EMPTY";
/// there is no such message.
pub const MESSAGE_ID_INVALID: &str = "MESSAGE_ID_INVALID";
/// the new message is the same as the old.
pub const MESSAGE_NOT_MODIFIED: &str = "MESSAGE_NOT_MODIFIED";
/// the poll is closed.
pub const MESSAGE_POLL_CLOSED: &str = "MESSAGE_POLL_CLOSED";
/// a message has at most 4096 characters.
pub const MESSAGE_TOO_LONG: &str = "MESSAGE_TOO_LONG";
/// the server does not know this method.
pub const METHOD_INVALID: &str = "METHOD_INVALID";
/// the earlier date cannot be used.
pub const MIN_DATE_INVALID: &str = "MIN_DATE_INVALID";
/// there is no such message.
pub const MSG_ID_INVALID: &str = "MSG_ID_INVALID";
/// who has read a message is only known for some days.
pub const MSG_TOO_OLD: &str = "MSG_TOO_OLD";
/// a request that this one was to come after has failed.
pub const MSG_WAIT_FAILED: &str = "MSG_WAIT_FAILED";
/// a request that this one was to come after is not done yet.
pub const MSG_WAIT_TIMEOUT: &str = "MSG_WAIT_TIMEOUT";
/// an album has at most 10 parts.
pub const MULTI_MEDIA_TOO_LONG: &str = "MULTI_MEDIA_TOO_LONG";
/// the server could not find a member of the chat.
pub const NEED_MEMBER_INVALID: &str = "NEED_MEMBER_INVALID";
/// addresses of this network are served by another data centre.
pub const NETWORK_MIGRATE: &str = "NETWORK_MIGRATE";
/// the new password's salt cannot be used.
pub const NEW_SALT_INVALID: &str = "NEW_SALT_INVALID";
/// there is no password and none was given.
pub const NEW_SETTINGS_EMPTY: &str = "NEW_SETTINGS_EMPTY";
/// the new password's settings cannot be used.
pub const NEW_SETTINGS_INVALID: &str = "NEW_SETTINGS_INVALID";
/// the next offset has at most 64 bytes.
pub const NEXT_OFFSET_INVALID: &str = "NEXT_OFFSET_INVALID";
/// this cannot be where to begin.
pub const OFFSET_INVALID: &str = "OFFSET_INVALID";
/// the chat to go on from is not known.
pub const OFFSET_PEER_ID_INVALID: &str = "OFFSET_PEER_ID_INVALID";
/// the poll takes one answer.
pub const OPTIONS_TOO_MUCH: &str = "OPTIONS_TOO_MUCH";
/// there is no such answer.
pub const OPTION_INVALID: &str = "OPTION_INVALID";
/// the order names other usernames than the active ones.
pub const ORDER_INVALID: &str = "ORDER_INVALID";
/// the set's short name cannot be used.
pub const PACK_SHORT_NAME_INVALID: &str = "PACK_SHORT_NAME_INVALID";
/// another set has this short name.
pub const PACK_SHORT_NAME_OCCUPIED: &str = "PACK_SHORT_NAME_OCCUPIED";
/// the set's title cannot be used.
pub const PACK_TITLE_INVALID: &str = "PACK_TITLE_INVALID";
/// the stickers are of different kinds.
pub const PACK_TYPE_INVALID: &str = "PACK_TYPE_INVALID";
/// the group has too few members.
pub const PARTICIPANTS_TOO_FEW: &str = "PARTICIPANTS_TOO_FEW";
/// there is no such member.
pub const PARTICIPANT_ID_INVALID: &str = "PARTICIPANT_ID_INVALID";
/// the user is not in the group call.
pub const PARTICIPANT_JOIN_MISSING: &str = "PARTICIPANT_JOIN_MISSING";
/// the other side's app is too old.
pub const PARTICIPANT_VERSION_OUTDATED: &str = "PARTICIPANT_VERSION_OUTDATED";
/// the account has no password.
pub const PASSWORD_EMPTY: &str = "PASSWORD_EMPTY";
/// the two-step verification password is wrong.
pub const PASSWORD_HASH_INVALID: &str = "PASSWORD_HASH_INVALID";
/// this needs two-step verification.
pub const PASSWORD_MISSING: &str = "PASSWORD_MISSING";
/// the code from the e-mail is too old.
pub const PASSWORD_RECOVERY_EXPIRED: &str = "PASSWORD_RECOVERY_EXPIRED";
/// the account has no recovery e-mail.
pub const PASSWORD_RECOVERY_NA: &str = "PASSWORD_RECOVERY_NA";
/// Telegram Passport needs a password.
pub const PASSWORD_REQUIRED: &str = "PASSWORD_REQUIRED";
/// the two-step verification password was changed less than a day ago.
pub const PASSWORD_TOO_FRESH: &str = "PASSWORD_TOO_FRESH";
/// there is no such payment provider.
pub const PAYMENT_PROVIDER_INVALID: &str = "PAYMENT_PROVIDER_INVALID";
/// this needs a payment that the client does not offer.
pub const PAYMENT_UNSUPPORTED: &str = "PAYMENT_UNSUPPORTED";
/// no chat was named.
pub const PEERS_LIST_EMPTY: &str = "PEERS_LIST_EMPTY";
/// the account is limited because strangers reported it.
pub const PEER_FLOOD: &str = "PEER_FLOOD";
/// an empty chat cannot be pinned.
pub const PEER_HISTORY_EMPTY: &str = "PEER_HISTORY_EMPTY";
/// the chat does not exist, or this account never met it.
pub const PEER_ID_INVALID: &str = "PEER_ID_INVALID";
/// this kind of chat is not served here.
pub const PEER_ID_NOT_SUPPORTED: &str = "PEER_ID_NOT_SUPPORTED";
/// the button asks for no kind of chat.
pub const PEER_TYPES_INVALID: &str = "PEER_TYPES_INVALID";
/// the pts is missing.
pub const PERSISTENT_TIMESTAMP_EMPTY: &str = "PERSISTENT_TIMESTAMP_EMPTY";
/// the pts is none of this account's.
pub const PERSISTENT_TIMESTAMP_INVALID: &str = "PERSISTENT_TIMESTAMP_INVALID";
/// the server lags behind.
pub const PERSISTENT_TIMESTAMP_OUTDATED: &str = "PERSISTENT_TIMESTAMP_OUTDATED";
/// the code is missing.
pub const PHONE_CODE_EMPTY: &str = "PHONE_CODE_EMPTY";
/// the code is too old.
pub const PHONE_CODE_EXPIRED: &str = "PHONE_CODE_EXPIRED";
/// the hash that came with the code is missing.
pub const PHONE_CODE_HASH_EMPTY: &str = "PHONE_CODE_HASH_EMPTY";
/// the code is wrong.
pub const PHONE_CODE_INVALID: &str = "PHONE_CODE_INVALID";
/// the sign-in is too old.
pub const PHONE_HASH_EXPIRED: &str = "PHONE_HASH_EXPIRED";
/// the number belongs to an account at another data centre.
pub const PHONE_MIGRATE: &str = "PHONE_MIGRATE";
/// no account that shows itself has this number.
pub const PHONE_NOT_OCCUPIED: &str = "PHONE_NOT_OCCUPIED";
/// accounts cannot be made with this program.
pub const PHONE_NUMBER_APP_SIGNUP_FORBIDDEN: &str = "PHONE_NUMBER_APP_SIGNUP_FORBIDDEN";
/// the number is banned from Telegram.
pub const PHONE_NUMBER_BANNED: &str = "PHONE_NUMBER_BANNED";
/// too many codes were requested for this number.
pub const PHONE_NUMBER_FLOOD: &str = "PHONE_NUMBER_FLOOD";
/// this is no phone number.
pub const PHONE_NUMBER_INVALID: &str = "PHONE_NUMBER_INVALID";
/// the number belongs to another account.
pub const PHONE_NUMBER_OCCUPIED: &str = "PHONE_NUMBER_OCCUPIED";
/// nobody has signed up with this number.
pub const PHONE_NUMBER_UNOCCUPIED: &str = "PHONE_NUMBER_UNOCCUPIED";
/// there were too many attempts to sign in.
pub const PHONE_PASSWORD_FLOOD: &str = "PHONE_PASSWORD_FLOOD";
/// the number is protected by a password.
pub const PHONE_PASSWORD_PROTECTED: &str = "PHONE_PASSWORD_PROTECTED";
/// the photo is of the wrong type.
pub const PHOTO_CONTENT_TYPE_INVALID: &str = "PHOTO_CONTENT_TYPE_INVALID";
/// the photo's link is missing.
pub const PHOTO_CONTENT_URL_EMPTY: &str = "PHOTO_CONTENT_URL_EMPTY";
/// the photo is missing.
pub const PHOTO_CROP_FILE_MISSING: &str = "PHOTO_CROP_FILE_MISSING";
/// the photo is too small.
pub const PHOTO_CROP_SIZE_SMALL: &str = "PHOTO_CROP_SIZE_SMALL";
/// the photo is of the wrong type.
pub const PHOTO_EXT_INVALID: &str = "PHOTO_EXT_INVALID";
/// the photo is missing.
pub const PHOTO_FILE_MISSING: &str = "PHOTO_FILE_MISSING";
/// there is no such photo.
pub const PHOTO_ID_INVALID: &str = "PHOTO_ID_INVALID";
/// the photo cannot be used.
pub const PHOTO_INVALID: &str = "PHOTO_INVALID";
/// the photo is too large, or too long and thin.
pub const PHOTO_INVALID_DIMENSIONS: &str = "PHOTO_INVALID_DIMENSIONS";
/// the photo could not be kept.
pub const PHOTO_SAVE_FILE_INVALID: &str = "PHOTO_SAVE_FILE_INVALID";
/// the preview's link is missing.
pub const PHOTO_THUMB_URL_EMPTY: &str = "PHOTO_THUMB_URL_EMPTY";
/// there are as many pinned chats as there may be.
pub const PINNED_DIALOGS_TOO_MUCH: &str = "PINNED_DIALOGS_TOO_MUCH";
/// there are as many pinned as there may be.
pub const PINNED_TOO_MUCH: &str = "PINNED_TOO_MUCH";
/// this account may not pin messages here.
pub const PIN_RESTRICTED: &str = "PIN_RESTRICTED";
/// the poll has too few answers, or too many.
pub const POLL_ANSWERS_INVALID: &str = "POLL_ANSWERS_INVALID";
/// one of the answers cannot be used.
pub const POLL_ANSWER_INVALID: &str = "POLL_ANSWER_INVALID";
/// two answers are the same.
pub const POLL_OPTION_DUPLICATE: &str = "POLL_OPTION_DUPLICATE";
/// one of the answers cannot be used.
pub const POLL_OPTION_INVALID: &str = "POLL_OPTION_INVALID";
/// the question cannot be used.
pub const POLL_QUESTION_INVALID: &str = "POLL_QUESTION_INVALID";
/// who voted is told to those who have voted.
pub const POLL_VOTE_REQUIRED: &str = "POLL_VOTE_REQUIRED";
/// this needs Telegram Premium.
pub const PREMIUM_ACCOUNT_REQUIRED: &str = "PREMIUM_ACCOUNT_REQUIRED";
/// another import into this chat is still running.
pub const PREVIOUS_CHAT_IMPORT_ACTIVE_WAIT_MIN: &str = "PREVIOUS_CHAT_IMPORT_ACTIVE_WAIT_MIN";
/// there is no such privacy setting.
pub const PRIVACY_KEY_INVALID: &str = "PRIVACY_KEY_INVALID";
/// only accounts with Telegram Premium may write to this user.
pub const PRIVACY_PREMIUM_REQUIRED: &str = "PRIVACY_PREMIUM_REQUIRED";
/// there are more than 1000 rules.
pub const PRIVACY_TOO_LONG: &str = "PRIVACY_TOO_LONG";
/// these rules contradict each other.
pub const PRIVACY_VALUE_INVALID: &str = "PRIVACY_VALUE_INVALID";
/// only a public chat's call has a link.
pub const PUBLIC_CHANNEL_MISSING: &str = "PUBLIC_CHANNEL_MISSING";
/// the public key is missing.
pub const PUBLIC_KEY_REQUIRED: &str = "PUBLIC_KEY_REQUIRED";
/// the query's id is missing.
pub const QUERY_ID_EMPTY: &str = "QUERY_ID_EMPTY";
/// the query is too old, or was answered.
pub const QUERY_ID_INVALID: &str = "QUERY_ID_INVALID";
/// the words to search for are too short.
pub const QUERY_TOO_SHORT: &str = "QUERY_TOO_SHORT";
/// there are as many quick replies as there may be.
pub const QUICK_REPLIES_TOO_MUCH: &str = "QUICK_REPLIES_TOO_MUCH";
/// a quiz is only forwarded without its author by who has answered it.
pub const QUIZ_ANSWER_MISSING: &str = "QUIZ_ANSWER_MISSING";
/// a quiz needs a right answer.
pub const QUIZ_CORRECT_ANSWERS_EMPTY: &str = "QUIZ_CORRECT_ANSWERS_EMPTY";
/// a quiz has one right answer.
pub const QUIZ_CORRECT_ANSWERS_TOO_MUCH: &str = "QUIZ_CORRECT_ANSWERS_TOO_MUCH";
/// the right answer is none of the answers.
pub const QUIZ_CORRECT_ANSWER_INVALID: &str = "QUIZ_CORRECT_ANSWER_INVALID";
/// a quiz takes one answer.
pub const QUIZ_MULTIPLE_INVALID: &str = "QUIZ_MULTIPLE_INVALID";
/// the quoted text does not stand in the message.
pub const QUOTE_TEXT_INVALID: &str = "QUOTE_TEXT_INVALID";
/// a message with this random_id was sent already.
pub const RANDOM_ID_DUPLICATE: &str = "RANDOM_ID_DUPLICATE";
/// the random_id is missing.
pub const RANDOM_ID_EMPTY: &str = "RANDOM_ID_EMPTY";
/// there are not as many random_ids as messages.
pub const RANDOM_ID_INVALID: &str = "RANDOM_ID_INVALID";
/// so many random bytes are not given.
pub const RANDOM_LENGTH_INVALID: &str = "RANDOM_LENGTH_INVALID";
/// this range cannot be asked for.
pub const RANGES_INVALID: &str = "RANGES_INVALID";
/// the message has as many different reactions as it may.
pub const REACTIONS_TOO_MANY: &str = "REACTIONS_TOO_MANY";
/// the reaction is missing.
pub const REACTION_EMPTY: &str = "REACTION_EMPTY";
/// this reaction is not allowed here.
pub const REACTION_INVALID: &str = "REACTION_INVALID";
/// the first button of an invoice has to pay.
pub const REPLY_MARKUP_BUY_EMPTY: &str = "REPLY_MARKUP_BUY_EMPTY";
/// the first button of a game has to start it.
pub const REPLY_MARKUP_GAME_EMPTY: &str = "REPLY_MARKUP_GAME_EMPTY";
/// the keyboard cannot be used.
pub const REPLY_MARKUP_INVALID: &str = "REPLY_MARKUP_INVALID";
/// the keyboard is too large.
pub const REPLY_MARKUP_TOO_LONG: &str = "REPLY_MARKUP_TOO_LONG";
/// the quick reply has as many messages as it may.
pub const REPLY_MESSAGES_TOO_MUCH: &str = "REPLY_MESSAGES_TOO_MUCH";
/// the message that is replied to is gone.
pub const REPLY_MESSAGE_ID_INVALID: &str = "REPLY_MESSAGE_ID_INVALID";
/// the message that is replied to cannot be used.
pub const REPLY_TO_INVALID: &str = "REPLY_TO_INVALID";
/// the user who is replied to is not known.
pub const REPLY_TO_USER_INVALID: &str = "REPLY_TO_USER_INVALID";
/// no reset of the password is under way.
pub const RESET_REQUEST_MISSING: &str = "RESET_REQUEST_MISSING";
/// there are at most 50 results.
pub const RESULTS_TOO_MUCH: &str = "RESULTS_TOO_MUCH";
/// two results have the same id.
pub const RESULT_ID_DUPLICATE: &str = "RESULT_ID_DUPLICATE";
/// the result's id is missing.
pub const RESULT_ID_EMPTY: &str = "RESULT_ID_EMPTY";
/// there is no such result.
pub const RESULT_ID_INVALID: &str = "RESULT_ID_INVALID";
/// there is no such type of result.
pub const RESULT_TYPE_INVALID: &str = "RESULT_TYPE_INVALID";
/// this poll's votes cannot be changed.
pub const REVOTE_NOT_ALLOWED: &str = "REVOTE_NOT_ALLOWED";
/// the rights are the same as before.
pub const RIGHTS_NOT_MODIFIED: &str = "RIGHTS_NOT_MODIFIED";
/// this account may not give that right.
pub const RIGHT_FORBIDDEN: &str = "RIGHT_FORBIDDEN";
/// the server failed within.
pub const RPC_CALL_FAIL: &str = "RPC_CALL_FAIL";
/// the server failed within.
pub const RPC_MCGET_FAIL: &str = "RPC_MCGET_FAIL";
/// the server failed within.
pub const RSA_DECRYPT_FAILED: &str = "RSA_DECRYPT_FAILED";
/// bots do not schedule messages.
pub const SCHEDULE_BOT_NOT_ALLOWED: &str = "SCHEDULE_BOT_NOT_ALLOWED";
/// this cannot be the time of sending.
pub const SCHEDULE_DATE_INVALID: &str = "SCHEDULE_DATE_INVALID";
/// a message is scheduled at most a year ahead.
pub const SCHEDULE_DATE_TOO_LATE: &str = "SCHEDULE_DATE_TOO_LATE";
/// the user does not show when they are online.
pub const SCHEDULE_STATUS_PRIVATE: &str = "SCHEDULE_STATUS_PRIVATE";
/// the chat has as many scheduled messages as it may (100).
pub const SCHEDULE_TOO_MUCH: &str = "SCHEDULE_TOO_MUCH";
/// this cannot be a score.
pub const SCORE_INVALID: &str = "SCORE_INVALID";
/// there is nothing to search for.
pub const SEARCH_QUERY_EMPTY: &str = "SEARCH_QUERY_EMPTY";
/// a link and words are not searched for at once.
pub const SEARCH_WITH_LINK_NOT_SUPPORTED: &str = "SEARCH_WITH_LINK_NOT_SUPPORTED";
/// slow mode has no such pause.
pub const SECONDS_INVALID: &str = "SECONDS_INVALID";
/// this account may not write in that name here.
pub const SEND_AS_PEER_INVALID: &str = "SEND_AS_PEER_INVALID";
/// every way to send the code was tried.
pub const SEND_CODE_UNAVAILABLE: &str = "SEND_CODE_UNAVAILABLE";
/// the result's media cannot be used.
pub const SEND_MESSAGE_MEDIA_INVALID: &str = "SEND_MESSAGE_MEDIA_INVALID";
/// the result sends no message.
pub const SEND_MESSAGE_TYPE_INVALID: &str = "SEND_MESSAGE_TYPE_INVALID";
/// this account may not change what content it is shown.
pub const SENSITIVE_CHANGE_FORBIDDEN: &str = "SENSITIVE_CHANGE_FORBIDDEN";
/// the session was not used for too long.
pub const SESSION_EXPIRED: &str = "SESSION_EXPIRED";
/// the account has two-step verification.
pub const SESSION_PASSWORD_NEEDED: &str = "SESSION_PASSWORD_NEEDED";
/// the session was ended from another device.
pub const SESSION_REVOKED: &str = "SESSION_REVOKED";
/// the session is younger than a day, which is too young for this.
pub const SESSION_TOO_FRESH: &str = "SESSION_TOO_FRESH";
/// these settings cannot be used.
pub const SETTINGS_INVALID: &str = "SETTINGS_INVALID";
/// this is no SHA-256.
pub const SHA256_HASH_INVALID: &str = "SHA256_HASH_INVALID";
/// the short name cannot be used.
pub const SHORT_NAME_INVALID: &str = "SHORT_NAME_INVALID";
/// another set has this short name.
pub const SHORT_NAME_OCCUPIED: &str = "SHORT_NAME_OCCUPIED";
/// the server failed to sign in.
pub const SIGN_IN_FAILED: &str = "SIGN_IN_FAILED";
/// in slow mode one message is forwarded at a time.
pub const SLOWMODE_MULTI_MSGS_DISABLED: &str = "SLOWMODE_MULTI_MSGS_DISABLED";
/// the group is in slow mode.
pub const SLOWMODE_WAIT: &str = "SLOWMODE_WAIT";
/// the server could not make a code.
pub const SMS_CODE_CREATE_FAILED: &str = "SMS_CODE_CREATE_FAILED";
/// the proof of the password is malformed.
pub const SRP_A_INVALID: &str = "SRP_A_INVALID";
/// the parameters for the password are too old.
pub const SRP_ID_INVALID: &str = "SRP_ID_INVALID";
/// the password was changed in the meantime.
pub const SRP_PASSWORD_CHANGED: &str = "SRP_PASSWORD_CHANGED";
/// the start parameter is missing.
pub const START_PARAM_EMPTY: &str = "START_PARAM_EMPTY";
/// the start parameter cannot be used.
pub const START_PARAM_INVALID: &str = "START_PARAM_INVALID";
/// the start parameter has at most 64 characters.
pub const START_PARAM_TOO_LONG: &str = "START_PARAM_TOO_LONG";
/// the statistics are kept at another data centre.
pub const STATS_MIGRATE: &str = "STATS_MIGRATE";
/// the set has as many stickers as it may.
pub const STICKERPACK_STICKERS_TOO_MUCH: &str = "STICKERPACK_STICKERS_TOO_MUCH";
/// there is no such set of stickers.
pub const STICKERSET_INVALID: &str = "STICKERSET_INVALID";
/// this set would tell who an anonymous administrator is.
pub const STICKERSET_OWNER_ANONYMOUS: &str = "STICKERSET_OWNER_ANONYMOUS";
/// there is no sticker.
pub const STICKERS_EMPTY: &str = "STICKERS_EMPTY";
/// the set has as many stickers as it may.
pub const STICKERS_TOO_MUCH: &str = "STICKERS_TOO_MUCH";
/// the sticker cannot be used.
pub const STICKER_DOCUMENT_INVALID: &str = "STICKER_DOCUMENT_INVALID";
/// the sticker's emoji cannot be used.
pub const STICKER_EMOJI_INVALID: &str = "STICKER_EMOJI_INVALID";
/// the sticker's file cannot be used.
pub const STICKER_FILE_INVALID: &str = "STICKER_FILE_INVALID";
/// the animation is not of the right size.
pub const STICKER_GIF_DIMENSIONS: &str = "STICKER_GIF_DIMENSIONS";
/// there is no such sticker.
pub const STICKER_ID_INVALID: &str = "STICKER_ID_INVALID";
/// there is no such sticker.
pub const STICKER_INVALID: &str = "STICKER_INVALID";
/// the sticker is of the wrong type.
pub const STICKER_MIME_INVALID: &str = "STICKER_MIME_INVALID";
/// the sticker is not of the right size.
pub const STICKER_PNG_DIMENSIONS: &str = "STICKER_PNG_DIMENSIONS";
/// the sticker is no PNG.
pub const STICKER_PNG_NOPNG: &str = "STICKER_PNG_NOPNG";
/// an animated sticker is sent as a file.
pub const STICKER_TGS_NODOC: &str = "STICKER_TGS_NODOC";
/// the sticker is no TGS.
pub const STICKER_TGS_NOTGS: &str = "STICKER_TGS_NOTGS";
/// the set's picture is no PNG or WEBP.
pub const STICKER_THUMB_PNG_NOPNG: &str = "STICKER_THUMB_PNG_NOPNG";
/// the set's picture is no TGS.
pub const STICKER_THUMB_TGS_NOTGS: &str = "STICKER_THUMB_TGS_NOTGS";
/// the video is too large.
pub const STICKER_VIDEO_BIG: &str = "STICKER_VIDEO_BIG";
/// a video sticker is sent as a file.
pub const STICKER_VIDEO_NODOC: &str = "STICKER_VIDEO_NODOC";
/// the video is no WEBM.
pub const STICKER_VIDEO_NOWEBM: &str = "STICKER_VIDEO_NOWEBM";
/// there never was a story.
pub const STORIES_NEVER_CREATED: &str = "STORIES_NEVER_CREATED";
/// there are as many stories as there may be.
pub const STORIES_TOO_MUCH: &str = "STORIES_TOO_MUCH";
/// no story was named.
pub const STORY_ID_EMPTY: &str = "STORY_ID_EMPTY";
/// there is no such story.
pub const STORY_ID_INVALID: &str = "STORY_ID_INVALID";
/// a story does not last so long.
pub const STORY_PERIOD_INVALID: &str = "STORY_PERIOD_INVALID";
/// there were as many stories this month as there may be.
pub const STORY_SEND_FLOOD_MONTHLY: &str = "STORY_SEND_FLOOD_MONTHLY";
/// there were as many stories this week as there may be.
pub const STORY_SEND_FLOOD_WEEKLY: &str = "STORY_SEND_FLOOD_WEEKLY";
/// the button's text is missing.
pub const SWITCH_PM_TEXT_EMPTY: &str = "SWITCH_PM_TEXT_EMPTY";
/// the export of data has to be confirmed from another device, or waited for.
pub const TAKEOUT_INIT_DELAY: &str = "TAKEOUT_INIT_DELAY";
/// the export of data is over.
pub const TAKEOUT_INVALID: &str = "TAKEOUT_INVALID";
/// this is only answered within an export of data.
pub const TAKEOUT_REQUIRED: &str = "TAKEOUT_REQUIRED";
/// a reset of the sign-in e-mail is under way.
pub const TASK_ALREADY_EXISTS: &str = "TASK_ALREADY_EXISTS";
/// the temporary key is bound to another permanent key.
pub const TEMP_AUTH_KEY_ALREADY_BOUND: &str = "TEMP_AUTH_KEY_ALREADY_BOUND";
/// the connection does not use a temporary key.
pub const TEMP_AUTH_KEY_EMPTY: &str = "TEMP_AUTH_KEY_EMPTY";
/// this is no file of a theme.
pub const THEME_FILE_INVALID: &str = "THEME_FILE_INVALID";
/// there is no such format of themes.
pub const THEME_FORMAT_INVALID: &str = "THEME_FORMAT_INVALID";
/// there is no such theme.
pub const THEME_INVALID: &str = "THEME_INVALID";
/// the file is of the wrong type.
pub const THEME_MIME_INVALID: &str = "THEME_MIME_INVALID";
/// the theme's title cannot be used.
pub const THEME_TITLE_INVALID: &str = "THEME_TITLE_INVALID";
/// the title cannot be used.
pub const TITLE_INVALID: &str = "TITLE_INVALID";
/// temporary passwords are not allowed for this account.
pub const TMP_PASSWORD_DISABLED: &str = "TMP_PASSWORD_DISABLED";
/// the device's token is missing.
pub const TOKEN_EMPTY: &str = "TOKEN_EMPTY";
/// the device's token is not valid.
pub const TOKEN_INVALID: &str = "TOKEN_INVALID";
/// there is no such type of token.
pub const TOKEN_TYPE_INVALID: &str = "TOKEN_TYPE_INVALID";
/// no topic was named.
pub const TOPICS_EMPTY: &str = "TOPICS_EMPTY";
/// the topic is closed.
pub const TOPIC_CLOSED: &str = "TOPIC_CLOSED";
/// a topic is not closed together with other changes.
pub const TOPIC_CLOSE_SEPARATELY: &str = "TOPIC_CLOSE_SEPARATELY";
/// the topic was deleted.
pub const TOPIC_DELETED: &str = "TOPIC_DELETED";
/// there is no such topic.
pub const TOPIC_ID_INVALID: &str = "TOPIC_ID_INVALID";
/// the topic is so already.
pub const TOPIC_NOT_MODIFIED: &str = "TOPIC_NOT_MODIFIED";
/// the title is missing.
pub const TOPIC_TITLE_EMPTY: &str = "TOPIC_TITLE_EMPTY";
/// there is no such language.
pub const TO_LANG_INVALID: &str = "TO_LANG_INVALID";
/// the message could not be written down.
pub const TRANSCRIPTION_FAILED: &str = "TRANSCRIPTION_FAILED";
/// this number of days cannot be chosen.
pub const TTL_DAYS_INVALID: &str = "TTL_DAYS_INVALID";
/// the media does not last so long.
pub const TTL_MEDIA_INVALID: &str = "TTL_MEDIA_INVALID";
/// messages do not last so long.
pub const TTL_PERIOD_INVALID: &str = "TTL_PERIOD_INVALID";
/// no kind of chat was named.
pub const TYPES_EMPTY: &str = "TYPES_EMPTY";
/// the server does not know a constructor in the request.
pub const TYPE_CONSTRUCTOR_INVALID: &str = "TYPE_CONSTRUCTOR_INVALID";
/// the server, or the bot behind it, did not answer in time.
pub const TIMEOUT: &str = "Timeout";
/// this cannot be the end of a ban.
pub const UNTIL_DATE_INVALID: &str = "UNTIL_DATE_INVALID";
/// the server wants a newer client to sign in.
pub const UPDATE_APP_TO_LOGIN: &str = "UPDATE_APP_TO_LOGIN";
/// the link cannot be used.
pub const URL_INVALID: &str = "URL_INVALID";
/// this cannot be how often a link is used.
pub const USAGE_LIMIT_INVALID: &str = "USAGE_LIMIT_INVALID";
/// too many usernames are active.
pub const USERNAMES_ACTIVE_TOO_MUCH: &str = "USERNAMES_ACTIVE_TOO_MUCH";
/// this cannot be a username.
pub const USERNAME_INVALID: &str = "USERNAME_INVALID";
/// this is the username already.
pub const USERNAME_NOT_MODIFIED: &str = "USERNAME_NOT_MODIFIED";
/// nobody has this username.
pub const USERNAME_NOT_OCCUPIED: &str = "USERNAME_NOT_OCCUPIED";
/// somebody else has this username.
pub const USERNAME_OCCUPIED: &str = "USERNAME_OCCUPIED";
/// this username is for sale.
pub const USERNAME_PURCHASE_AVAILABLE: &str = "USERNAME_PURCHASE_AVAILABLE";
/// the profile photo has to be visible for this.
pub const USERPIC_PRIVACY_REQUIRED: &str = "USERPIC_PRIVACY_REQUIRED";
/// this needs a profile photo.
pub const USERPIC_UPLOAD_REQUIRED: &str = "USERPIC_UPLOAD_REQUIRED";
/// the group has too few members.
pub const USERS_TOO_FEW: &str = "USERS_TOO_FEW";
/// the chat has as many members as it may.
pub const USERS_TOO_MUCH: &str = "USERS_TOO_MUCH";
/// this account may not act on that administrator.
pub const USER_ADMIN_INVALID: &str = "USER_ADMIN_INVALID";
/// the user was invited already.
pub const USER_ALREADY_INVITED: &str = "USER_ALREADY_INVITED";
/// the user is a member already.
pub const USER_ALREADY_PARTICIPANT: &str = "USER_ALREADY_PARTICIPANT";
/// the account may not write in supergroups and channels.
pub const USER_BANNED_IN_CHANNEL: &str = "USER_BANNED_IN_CHANNEL";
/// the user was blocked.
pub const USER_BLOCKED: &str = "USER_BLOCKED";
/// a bot can only be an administrator of a channel.
pub const USER_BOT: &str = "USER_BOT";
/// only bots may call this method, or the bot is not named.
pub const USER_BOT_INVALID: &str = "USER_BOT_INVALID";
/// only bots may call this method.
pub const USER_BOT_REQUIRED: &str = "USER_BOT_REQUIRED";
/// the user is in too many chats.
pub const USER_CHANNELS_TOO_MUCH: &str = "USER_CHANNELS_TOO_MUCH";
/// the chat belongs to this user.
pub const USER_CREATOR: &str = "USER_CREATOR";
/// the account was deleted.
pub const USER_DEACTIVATED: &str = "USER_DEACTIVATED";
/// Telegram has banned the account.
pub const USER_DEACTIVATED_BAN: &str = "USER_DEACTIVATED_BAN";
/// the other account was deleted.
pub const USER_DELETED: &str = "USER_DELETED";
/// the user does not exist, or this account never met them.
pub const USER_ID_INVALID: &str = "USER_ID_INVALID";
/// the user does not exist.
pub const USER_INVALID: &str = "USER_INVALID";
/// the user has blocked this account.
pub const USER_IS_BLOCKED: &str = "USER_IS_BLOCKED";
/// a bot may not write to another bot.
pub const USER_IS_BOT: &str = "USER_IS_BOT";
/// the user was banned from the chat.
pub const USER_KICKED: &str = "USER_KICKED";
/// the account lives at another data centre.
pub const USER_MIGRATE: &str = "USER_MIGRATE";
/// the user has left, and only those whose contacts have each other may bring them back.
pub const USER_NOT_MUTUAL_CONTACT: &str = "USER_NOT_MUTUAL_CONTACT";
/// the user is not a member of the chat.
pub const USER_NOT_PARTICIPANT: &str = "USER_NOT_PARTICIPANT";
/// the user's privacy settings forbid it.
pub const USER_PRIVACY_RESTRICTED: &str = "USER_PRIVACY_RESTRICTED";
/// the account is limited because it was reported.
pub const USER_RESTRICTED: &str = "USER_RESTRICTED";
/// this cannot be a volume.
pub const USER_VOLUME_INVALID: &str = "USER_VOLUME_INVALID";
/// there is no such venue.
pub const VENUE_ID_INVALID: &str = "VENUE_ID_INVALID";
/// the video is of the wrong type.
pub const VIDEO_CONTENT_TYPE_INVALID: &str = "VIDEO_CONTENT_TYPE_INVALID";
/// the video cannot be used.
pub const VIDEO_FILE_INVALID: &str = "VIDEO_FILE_INVALID";
/// the video's title is missing.
pub const VIDEO_TITLE_EMPTY: &str = "VIDEO_TITLE_EMPTY";
/// the user does not take voice messages.
pub const VOICE_MESSAGES_FORBIDDEN: &str = "VOICE_MESSAGES_FORBIDDEN";
/// this file cannot be a wallpaper.
pub const WALLPAPER_FILE_INVALID: &str = "WALLPAPER_FILE_INVALID";
/// there is no such wallpaper.
pub const WALLPAPER_INVALID: &str = "WALLPAPER_INVALID";
/// the file is of the wrong type.
pub const WALLPAPER_MIME_INVALID: &str = "WALLPAPER_MIME_INVALID";
/// the link cannot be used.
pub const WC_CONVERT_URL_INVALID: &str = "WC_CONVERT_URL_INVALID";
/// the link to the file cannot be used.
pub const WEBDOCUMENT_INVALID: &str = "WEBDOCUMENT_INVALID";
/// the linked file is of the wrong type.
pub const WEBDOCUMENT_MIME_INVALID: &str = "WEBDOCUMENT_MIME_INVALID";
/// the linked file is too large.
pub const WEBDOCUMENT_SIZE_TOO_BIG: &str = "WEBDOCUMENT_SIZE_TOO_BIG";
/// the link to the file cannot be used.
pub const WEBDOCUMENT_URL_INVALID: &str = "WEBDOCUMENT_URL_INVALID";
/// the server could not fetch the link.
pub const WEBPAGE_CURL_FAILED: &str = "WEBPAGE_CURL_FAILED";
/// the link has no media.
pub const WEBPAGE_MEDIA_EMPTY: &str = "WEBPAGE_MEDIA_EMPTY";
/// the link has no preview.
pub const WEBPAGE_NOT_FOUND: &str = "WEBPAGE_NOT_FOUND";
/// the link cannot be used.
pub const WEBPAGE_URL_INVALID: &str = "WEBPAGE_URL_INVALID";
/// the secret for web push cannot be used.
pub const WEBPUSH_AUTH_INVALID: &str = "WEBPUSH_AUTH_INVALID";
/// the key for web push cannot be used.
pub const WEBPUSH_KEY_INVALID: &str = "WEBPUSH_KEY_INVALID";
/// the token for web push cannot be used.
pub const WEBPUSH_TOKEN_INVALID: &str = "WEBPUSH_TOKEN_INVALID";
/// the server is busy.
pub const WORKER_BUSY_TOO_LONG_RETRY: &str = "WORKER_BUSY_TOO_LONG_RETRY";
/// this account has blocked the user.
pub const YOU_BLOCKED_USER: &str = "YOU_BLOCKED_USER";
