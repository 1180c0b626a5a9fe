#include "CTorrent.h"

#include <libtorrent/add_torrent_params.hpp>
#include <libtorrent/address.hpp>
#include <libtorrent/alert_types.hpp>
#include <libtorrent/extensions/smart_ban.hpp>
#include <libtorrent/ip_filter.hpp>
#include <libtorrent/peer_class.hpp>
#include <libtorrent/session.hpp>
#include <libtorrent/session_params.hpp>
#include <libtorrent/torrent_info.hpp>
#include <libtorrent/torrent_status.hpp>

#include <cstdio>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

namespace lt = libtorrent;
using settings = lt::settings_pack;

namespace {

struct entry {
    lt::torrent_handle handle;
    vk_swarm_status status{};
    bool is_flushing = false;

    // What is right is not yet in the file for every reader: the answer is an alert.
    void flush() {
        if (is_flushing) return;
        is_flushing = true;
        handle.flush_cache();
    }
};

template <std::size_t length> void set_text(char (&to)[length], std::string const &text) {
    std::snprintf(to, length, "%s", text.c_str());
}

// Runs `body`; no exception may reach a caller in another language.
template <typename Result, typename Body>
Result guarded(vk_swarm_reason *reason, Result failure, Body body) noexcept {
    vk_swarm_reason ignored;
    if (!reason) reason = &ignored;
    try {
        return body();
    } catch (std::exception const &thrown) {
        set_text(reason->text, thrown.what());
    } catch (...) {
        set_text(reason->text, "an exception without a text");
    }
    return failure;
}

// Nobody is looked for: peers are those that the node is told of.
void introduce_nobody(lt::settings_pack &pack) {
    for (int name : {settings::enable_dht, settings::enable_lsd, settings::enable_upnp, settings::enable_natpmp})
        pack.set_bool(name, false);
    pack.set_int(settings::max_pex_peers, 0);
    // Environments come and go with network interfaces of their own, which are none of a swarm's business.
    pack.set_bool(settings::enable_ip_notifier, false);
}

lt::settings_pack make_settings(vk_swarm_options const &options) {
    lt::settings_pack pack;
    introduce_nobody(pack);
    pack.set_str(settings::listen_interfaces, options.listen);
    // The port that others are told of, or none.
    pack.set_int(settings::max_retry_port_bind, 0);
    pack.set_str(settings::user_agent, "VersionKit");
    pack.set_int(settings::upload_rate_limit, options.upload_limit);
    pack.set_int(settings::download_rate_limit, options.download_limit);
    pack.set_int(settings::connections_limit, options.connections_max);
    // uTP is answered, but not begun: it costs far more processor time, and gives way to everything.
    pack.set_bool(settings::enable_outgoing_utp, false);
    // Several nodes may be behind one address.
    pack.set_bool(settings::allow_multiple_connections_per_ip, true);
    pack.set_int(settings::out_enc_policy, settings::pe_disabled);
    pack.set_int(settings::in_enc_policy, settings::pe_disabled);
    // Few uploads at one time and short queues of requests: pieces become copies sooner, and the first seed has to send
    // fewer of them.
    pack.set_int(settings::unchoke_slots_limit, 6);
    pack.set_int(settings::request_queue_time, 1);
    // Half of the uploads go to those who gave most, which is for swarms of strangers: a node that has little to give is
    // given little, and is the last of its fleet by seconds. The other half goes by turns to who has waited longest.
    pack.set_int(settings::num_optimistic_unchoke_slots, 3);
    pack.set_int(settings::unchoke_interval, 1);
    pack.set_int(settings::optimistic_unchoke_interval, 1);
    // The first pieces are not drawn by chance either: the nodes that begin together prefer others (vk_swarm_prefer).
    pack.set_int(settings::initial_picker_threshold, 0);
    // Peers are known to be there, and few: all are tried at once, and soon again.
    pack.set_int(settings::connection_speed, 200);
    pack.set_int(settings::torrent_connect_boost, 100);
    pack.set_int(settings::min_reconnect_time, 1);
    pack.set_int(settings::tick_interval, 100);
    // A peer that is gone must not keep what only others can give.
    pack.set_int(settings::peer_connect_timeout, 5);
    pack.set_int(settings::piece_timeout, 5);
    pack.set_int(settings::request_timeout, 10);
    // One disk, one fleet: a handful of threads and little memory do.
    pack.set_int(settings::aio_threads, 2);
    pack.set_int(settings::hashing_threads, 1);
    pack.set_int(settings::max_peerlist_size, 256);
    pack.set_int(settings::send_buffer_watermark, 256 * 1024);
    pack.set_int(settings::alert_queue_size, 4096);
    pack.set_int(
        settings::alert_mask, lt::alert_category::status | lt::alert_category::error | lt::alert_category::storage |
                                  lt::alert_category::peer);
    return pack;
}

// libtorrent exempts private addresses from rate limits and from the number of uploads. A fleet has no others.
void treat_all_addresses_alike(lt::session &session) {
    std::uint32_t const all = 1u << static_cast<std::uint32_t>(lt::session::global_peer_class_id);
    lt::ip_filter classes;
    classes.add_rule(lt::make_address("0.0.0.0"), lt::make_address("255.255.255.255"), all);
    classes.add_rule(lt::make_address("::"), lt::make_address("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"), all);
    session.set_peer_class_filter(classes);
}

void copy(lt::torrent_status const &from, vk_swarm_status &to) {
    to.wanted = from.total_wanted;
    to.done = from.total_wanted_done;
    to.downloaded = from.total_payload_download;
    to.uploaded = from.total_payload_upload;
    to.failed = from.total_failed_bytes;
    to.download_rate = from.download_payload_rate;
    to.upload_rate = from.upload_payload_rate;
    to.peers = from.num_peers;
    to.is_checked =
        from.state != lt::torrent_status::checking_files && from.state != lt::torrent_status::checking_resume_data;
    if (from.errc) set_text(to.error, from.errc.message());
}

} // namespace

struct vk_swarm {
    lt::session session;
    int const torrent_connections_max;
    std::mutex lock;
    std::map<std::uint32_t, entry> torrents;
    vk_swarm_counters counters{};
    // Beyond that many, more are not counted.
    static constexpr std::size_t banned_max = 4096;
    std::set<lt::tcp::endpoint> banned;

    vk_swarm(vk_swarm_options const &options)
        // No plug-ins: neither do peers exchange peers, nor do they ask for a torrent file.
        : session(lt::session_params(make_settings(options), {})),
          torrent_connections_max(options.torrent_connections_max) {
        treat_all_addresses_alike(session);
    }

    lt::torrent_handle find(std::uint32_t torrent) {
        std::lock_guard<std::mutex> held(lock);
        auto const found = torrents.find(torrent);
        if (found == torrents.end()) throw std::runtime_error("there is no such torrent");
        return found->second.handle;
    }

    // With `lock` held.
    entry *known(lt::torrent_handle const &handle) {
        auto const found = torrents.find(handle.id());
        return found == torrents.end() ? nullptr : &found->second;
    }

    void take(lt::alert *alert) {
        if (auto *update = lt::alert_cast<lt::state_update_alert>(alert)) {
            for (auto const &status : update->status) {
                auto *entry = known(status.handle);
                if (!entry) continue;
                copy(status, entry->status);
                if (entry->status.is_checked && status.is_finished) entry->flush();
            }
        } else if (lt::alert_cast<lt::hash_failed_alert>(alert)) {
            counters.wrong_pieces += 1;
        } else if (auto *ban = lt::alert_cast<lt::peer_ban_alert>(alert)) {
            // Told once for each wrong piece.
            if (banned.size() < banned_max && banned.insert(ban->endpoint).second) counters.banned_peers += 1;
        } else if (auto *finished = lt::alert_cast<lt::torrent_finished_alert>(alert)) {
            if (auto *entry = known(finished->handle)) entry->flush();
        } else if (auto *flushed = lt::alert_cast<lt::cache_flushed_alert>(alert)) {
            if (auto *entry = known(flushed->handle); entry && entry->is_flushing) {
                // What was told last may be older.
                copy(entry->handle.status({}), entry->status);
                entry->status.is_finished = true;
            }
        } else if (auto *failed = lt::alert_cast<lt::torrent_error_alert>(alert)) {
            if (auto *entry = known(failed->handle)) set_text(entry->status.error, failed->message());
        } else if (auto *broken = lt::alert_cast<lt::file_error_alert>(alert)) {
            if (auto *entry = known(broken->handle)) set_text(entry->status.error, broken->message());
        }
    }
};

vk_swarm *vk_swarm_create(const vk_swarm_options *options, vk_swarm_reason *reason) {
    return guarded(reason, static_cast<vk_swarm *>(nullptr), [&] { return new vk_swarm(*options); });
}

void vk_swarm_destroy(vk_swarm *swarm) { delete swarm; }

int vk_swarm_port(vk_swarm *swarm) {
    return guarded(nullptr, 0, [&] { return int(swarm->session.listen_port()); });
}

void vk_swarm_set_limits(vk_swarm *swarm, int upload, int download) {
    guarded(nullptr, 0, [&] {
        lt::settings_pack pack;
        pack.set_int(settings::upload_rate_limit, upload);
        pack.set_int(settings::download_rate_limit, download);
        swarm->session.apply_settings(std::move(pack));
        return 0;
    });
}

uint32_t vk_swarm_add(vk_swarm *swarm, const vk_swarm_torrent *torrent, vk_swarm_reason *reason) {
    return guarded(reason, std::uint32_t(0), [&] {
        lt::add_torrent_params params;
        lt::span<char const> const bytes(
            reinterpret_cast<char const *>(torrent->bytes), std::ptrdiff_t(torrent->count));
        params.ti = std::make_shared<lt::torrent_info>(bytes, lt::from_span);
        params.save_path = torrent->directory;
        params.max_connections = swarm->torrent_connections_max;
        params.flags = lt::torrent_flags::update_subscribe | lt::torrent_flags::disable_dht |
                       lt::torrent_flags::disable_lsd | lt::torrent_flags::disable_pex;
        // In upload mode nothing is ever written, even if a piece turns out to be damaged.
        if (torrent->is_complete) params.flags |= lt::torrent_flags::seed_mode | lt::torrent_flags::upload_mode;
        for (std::size_t file = 0; torrent->unwanted && file < torrent->unwanted_count; ++file)
            params.file_priorities.push_back(
                torrent->unwanted[file] ? lt::dont_download : lt::default_priority);
        // Finds out which of several peers lied when a piece is wrong.
        params.extensions.push_back(&lt::create_smart_ban_plugin);
        // Nobody takes in what happens to it before it is known.
        std::lock_guard<std::mutex> held(swarm->lock);
        auto const handle = swarm->session.add_torrent(std::move(params));
        swarm->torrents[handle.id()].handle = handle;
        return handle.id();
    });
}

void vk_swarm_remove(vk_swarm *swarm, uint32_t torrent) {
    guarded(nullptr, 0, [&] {
        auto const handle = swarm->find(torrent);
        std::lock_guard<std::mutex> held(swarm->lock);
        swarm->torrents.erase(torrent);
        swarm->session.remove_torrent(handle);
        return 0;
    });
}

int vk_swarm_connect(
    vk_swarm *swarm, uint32_t torrent, const char *address, uint16_t port, vk_swarm_reason *reason) {
    return guarded(reason, -1, [&] {
        swarm->find(torrent).connect_peer(lt::tcp::endpoint(lt::make_address(address), port));
        return 0;
    });
}

void vk_swarm_prefer(vk_swarm *swarm, uint32_t torrent, double from, double to) {
    guarded(nullptr, 0, [&] {
        auto const handle = swarm->find(torrent);
        auto priorities = handle.get_piece_priorities();
        for (std::size_t piece = 0; piece < priorities.size(); ++piece) {
            if (priorities[piece] == lt::dont_download) continue;
            double const distance = double(piece) / double(priorities.size()) - from;
            bool const is_first = distance >= 0 ? distance < to - from : distance + 1 < to - from;
            // One step only: libtorrent multiplies it with how many have the piece, and the rarer comes first all the same.
            priorities[piece] = is_first ? lt::download_priority_t{5} : lt::default_priority;
        }
        handle.prioritize_pieces(priorities);
        return 0;
    });
}

void vk_swarm_recheck(vk_swarm *swarm, uint32_t torrent) {
    guarded(nullptr, 0, [&] {
        swarm->find(torrent).force_recheck();
        return 0;
    });
}

void vk_swarm_update(vk_swarm *swarm) {
    guarded(nullptr, 0, [&] {
        swarm->session.post_torrent_updates({});
        std::lock_guard<std::mutex> held(swarm->lock);
        std::vector<lt::alert *> alerts;
        swarm->session.pop_alerts(&alerts);
        for (auto *alert : alerts) swarm->take(alert);
        return 0;
    });
}

bool vk_swarm_get_status(vk_swarm *swarm, uint32_t torrent, vk_swarm_status *status) {
    return guarded(nullptr, false, [&] {
        std::lock_guard<std::mutex> held(swarm->lock);
        auto const found = swarm->torrents.find(torrent);
        if (found == swarm->torrents.end()) return false;
        *status = found->second.status;
        return true;
    });
}

vk_swarm_counters vk_swarm_get_counters(vk_swarm *swarm) {
    return guarded(nullptr, vk_swarm_counters{}, [&] {
        std::lock_guard<std::mutex> held(swarm->lock);
        return swarm->counters;
    });
}
