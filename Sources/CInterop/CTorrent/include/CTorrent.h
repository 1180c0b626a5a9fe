// BitTorrent, through libtorrent-rasterbar 2: what VersionKit needs of it, in a shape that Swift can call.
//
// A session has threads of its own; every function can be called from any thread. Unless said otherwise none waits for the
// network or the disk: what happens is taken in by `vk_swarm_update`, and can be read until the next time.
//
// Unless said otherwise a function returns 0, or -1 with the reason in `reason`.
#ifndef CTORRENT_H
#define CTORRENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

#ifdef __cplusplus
extern "C" {
#endif

/// Why something failed, as text that ends with a zero byte.
struct vk_swarm_reason {
    char text[256];
};

/// One node's part in all its swarms.
struct vk_swarm;

/// What a session is made with. The strings are copied.
struct vk_swarm_options {
    /// Where to listen, for TCP and uTP: `10.0.0.1:15002,[fd00::1]:15002`. Port 0 is any.
    const char *listen;
    /// Bytes per second, of all torrents together; 0: no limit. Holds for every address, private ones too.
    int upload_limit;
    int download_limit;
    /// Connections, of all torrents together.
    int connections_max;
    /// Of these, for one torrent.
    int torrent_connections_max;
};

/// Begins. `NULL` with a reason if it cannot.
struct vk_swarm *_Nullable vk_swarm_create(const struct vk_swarm_options *options, struct vk_swarm_reason *reason);
/// Ends all that the session does. Waits for its threads: mostly some milliseconds, up to seconds.
void vk_swarm_destroy(struct vk_swarm *swarm);
/// The port that the session listens on; 0 if it listens nowhere. May wait for the session's thread.
int vk_swarm_port(struct vk_swarm *swarm);
/// Changes the limits.
void vk_swarm_set_limits(struct vk_swarm *swarm, int upload, int download);

/// A torrent to take part in. The bytes are copied.
struct vk_swarm_torrent {
    const uint8_t *bytes;
    size_t count;
    /// The directory that the torrent's own one is in.
    const char *directory;
    /// All files are there: nothing is ever written, and each piece is looked at when it is first asked for.
    /// Otherwise whatever is there is looked at first.
    bool is_complete;
    /// For each file whether it is not wanted; `NULL`: all are.
    const bool *_Nullable unwanted;
    size_t unwanted_count;
};

/// Takes part in a torrent. May wait for the session's thread.
///
/// Returns its number, 0 with a reason if it cannot.
uint32_t vk_swarm_add(struct vk_swarm *swarm, const struct vk_swarm_torrent *torrent, struct vk_swarm_reason *reason);
/// Leaves it; its files stay. A number that is not known is no error.
void vk_swarm_remove(struct vk_swarm *swarm, uint32_t torrent);
/// Tells it of a peer, an address without brackets.
int vk_swarm_connect(
    struct vk_swarm *swarm, uint32_t torrent, const char *address, uint16_t port,
    struct vk_swarm_reason *_Nullable reason);

/// Of pieces that are equally rare, those come first whose place is between these, 0 the torrent's begin and 1 its end; behind
/// the end it goes on at the begin. May wait for the session's thread.
void vk_swarm_prefer(struct vk_swarm *swarm, uint32_t torrent, double from, double to);

/// Looks anew at which pieces are here.
void vk_swarm_recheck(struct vk_swarm *swarm, uint32_t torrent);

/// What has become of a torrent.
struct vk_swarm_status {
    /// Bytes of the files that are wanted, and those of them that are there and right.
    int64_t wanted, done;
    /// Bytes that came and went since it was added, without the protocol's own.
    int64_t downloaded, uploaded;
    /// Bytes that came and were wrong.
    int64_t failed;
    /// Bytes per second.
    int download_rate, upload_rate;
    /// Connections to peers.
    int peers;
    /// What was there was looked at.
    bool is_checked;
    /// Everything that is wanted is in the files, for other readers too.
    bool is_finished;
    /// Why it cannot go on; empty: it can.
    char error[256];
};

/// Takes in what has happened. To be called some times per second while somebody waits for something.
void vk_swarm_update(struct vk_swarm *swarm);
/// What `vk_swarm_update` last saw. False if there is no such torrent.
bool vk_swarm_get_status(struct vk_swarm *swarm, uint32_t torrent, struct vk_swarm_status *status);

/// What was counted since the session began.
struct vk_swarm_counters {
    /// Pieces that came and were wrong.
    uint64_t wrong_pieces;
    /// Peers that will not be asked again, for they lied.
    uint64_t banned_peers;
};

struct vk_swarm_counters vk_swarm_get_counters(struct vk_swarm *swarm);

#ifdef __cplusplus
}
#endif

#pragma clang assume_nonnull end

#endif
