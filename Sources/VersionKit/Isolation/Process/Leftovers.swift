import Glibc
import VersionKitProcesses

/// What runs in an environment among the node's own processes, whether its agent still does or was killed.
///
/// Below an agent nothing gets away. Without one, programs are known by the variable that they were started with: those who
/// have taken care not to be are found no more.
struct Leftovers: Sendable {
    /// How often those are looked for that began meanwhile.
    private static let roundsMax = 200
    /// How much of a program's variables is looked through; the agent's come first.
    private static let variablesBytesMax = 16 << 10

    private let place: Place

    init(of place: Place) { self.place = place }

    /// Kills all of it.
    func end() async {
        if let agent = place.process.pid {
            await onThread("leftovers") { Descendants(of: agent).kill() }
            await place.process.waitUntilGone(kills: true)
        }
        await onThread("leftovers") {
            // Stopped first, so that none multiplies while others make room.
            for number in [SIGSTOP, SIGKILL] {
                var reached: Set<pid_t> = []
                for _ in 0..<Self.roundsMax {
                    let new = Set(orphans()).subtracting(reached)
                    if new.isEmpty { break }
                    for pid in new { kill(pid, number) }
                    reached.formUnion(new)
                }
            }
        }
    }

    private func orphans() -> [pid_t] {
        let mark = Array("VERSIONKIT_ROOT=\(place.root)".utf8)
        return ProcessStatus.all().map(\.pid).filter { pid in
            guard let file = fopen("/proc/\(pid)/environ", "re") else { return false }
            defer { fclose(file) }
            var buffer = [UInt8](repeating: 0, count: Self.variablesBytesMax)
            let count = fread(&buffer, 1, buffer.count, file)
            return buffer[..<count].split(separator: 0).contains { $0.elementsEqual(mark) }
        }
    }
}
