import BenchDriver
import ExampleFleet
import Foundation
import Glibc
import VersionKitModel
import VersionKitReleases
import VersionKitRouter
import VersionKitSwarm

/// One host: fetches the layers, or has them, and hands them on until it is killed.
struct BenchNode {
    private let settings: Settings

    init(_ settings: Settings) { self.settings = settings }

    func run() async throws {
        guard let address = IPAddress(try settings.text("address")) else { throw FleetError("address= is none") }
        let torrent = [UInt8](try Data(contentsOf: URL(filePath: settings.text("torrent"))))
        let peers = try settings.text("peers").split(separator: ",").compactMap { Endpoint(String($0)) }
        let isSeed = try settings.text("seed") == "yes"
        let swarm = try Swarm(
            SwarmOptions(addresses: [address], port: UInt16(clamping: settings.number("port"))))
        let mine = try swarm.add(torrent, in: settings.text("directory"), isSeed ? .complete : .unknown)
        guard swarm.port != nil else { throw FleetError("nothing can be listened on at \(address)") }
        say("ready")
        try await Self.wait(for: settings.text("go"))
        var random = SystemRandomNumberGenerator()
        if !isSeed { swarm.prefer(FirstPieces.part(known: peers.count, using: &random), of: mine) }
        swarm.connect(mine, to: peers)
        var isDone = isSeed
        while true {
            swarm.update()
            guard let progress = swarm.progress(of: mine) else { throw FleetError("the torrent is gone") }
            if let trouble = progress.trouble { throw FleetError(trouble) }
            if !isDone, progress.isFinished {
                isDone = true
                try Self.tellDone(settings.text("file"), received: Int(progress.downloaded))
            }
            if access(try settings.text("stop"), F_OK) == 0 {
                say("sent \(progress.uploaded)")
                return
            }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    /// Waits until a file is there, by which the driver tells all hosts something in the same moment.
    static func wait(for file: String) async throws {
        while access(file, F_OK) != 0 { try await Task.sleep(for: .milliseconds(2)) }
    }

    /// As versiond: a layer is there when its bytes were looked at as a whole.
    static func tellDone(_ file: String, received: Int) throws {
        let bytes = try Data(contentsOf: URL(filePath: file))
        say("done \(milliseconds()) \(ContentHasher.digest(of: [UInt8](bytes)).hex) \(received)")
    }
}
