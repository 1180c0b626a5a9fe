import Glibc

/// The node's end of an environment's link, in a file for whoever removes it: its name, and its number, by which another
/// one with that name is told apart.
///
/// The kernel removes a link with the last user of the environment's network, and that may be what nobody can end: a
/// connection of which the other side has not acknowledged everything is kept for up to two minutes after its process. So
/// a link is removed when its environment has ended.
struct LinkRecord: Sendable {
    /// Where the name and the number are kept.
    let file: String

    /// Keeps what the link is that has just been made.
    func record(_ interface: String) throws(IsolationError) {
        let number = if_nametoindex(interface)
        guard number != 0 else { throw IsolationError("\(interface) is gone: the environment has ended") }
        guard let stream = fopen(file, "we") else { throw .system("make \(file)") }
        fputs("\(interface) \(number)", stream)
        guard fclose(stream) == 0 else { throw .system("write \(file)") }
    }

    /// Removes the link, unless it is gone or was replaced.
    func removeLink() async throws(IsolationError) {
        guard let interface else { return }
        do throws(IsolationError) {
            try await execute("ip", ["link", "delete", interface])
        } catch {
            // The kernel may have been about to.
            if self.interface != nil { throw error }
        }
    }

    /// The name, if the link is there.
    private var interface: String? {
        guard let words = textOfFile(file)?.split(separator: " "), words.count == 2, let number = UInt32(words[1]),
            if_nametoindex(String(words[0])) == number
        else { return nil }
        return String(words[0])
    }
}
