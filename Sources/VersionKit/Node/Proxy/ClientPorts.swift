import CLinux
import Glibc
import VersionKitModel
import VersionKitProcesses
import VersionKitTransport

/// The sockets on which clients reach one application at this node: opened here, served by one proxy after the other,
/// closed with versiond.
///
/// A Unix socket is a file in the application's own directory. Everybody on the node may connect, as to a port; an
/// operator who wants it otherwise narrows the directory, whose mode stays as it is found.
struct ClientPorts {
    /// A port that a release declares, and which port of the versions it leads to; `nil`: the one of the table.
    struct Wanted: Hashable {
        var port: ReleaseManifest.ClientPort
        var versionPort: UInt16?
    }

    /// A port that is open.
    struct Opened {
        /// Where its clients' requests go.
        var versionPort: UInt16?
        let descriptor: Int32
        /// Whether clients send datagrams.
        var isDatagram = false
        fileprivate var file: SocketFile?
    }

    private let addresses: HostAddresses
    private let directory: String
    private var opened: [ClientListener.Place: Opened] = [:]

    /// No ports yet.
    ///
    /// - Parameters:
    ///   - addresses: each of which every TCP and UDP port is opened on.
    ///   - directory: where Unix sockets are made; it and its parent are made with the first one.
    init(addresses: HostAddresses, directory: String) {
        self.addresses = addresses
        self.directory = directory
    }

    /// What the versiond that this one executes needs of a port.
    struct Handover: Sendable, Codable {
        var place: ClientListener.Place
        var versionPort: UInt16?
        var descriptor: InheritedDescriptor
        var isDatagram: Bool
        fileprivate var file: SocketFile?
    }

    /// All ports, for the versiond that this one executes.
    func handOver() -> [Handover] {
        opened.map { place, opened in
            Handover(
                place: place, versionPort: opened.versionPort, descriptor: InheritedDescriptor(opened.descriptor),
                isDatagram: opened.isDatagram, file: opened.file)
        }
    }

    /// Goes on with the ports of the versiond before.
    mutating func resume(_ handovers: [Handover]) {
        for handover in handovers {
            opened[handover.place] = Opened(
                versionPort: handover.versionPort, descriptor: handover.descriptor.number,
                isDatagram: handover.isDatagram, file: handover.file)
        }
    }

    /// All that are open.
    var all: [Opened] { Array(opened.values) }

    /// Opens what is not open yet, all of it or nothing. The others lead to where they are wanted now.
    ///
    /// - Returns: the new ones.
    mutating func open(_ wanted: [Wanted]) throws -> [Opened] {
        var fresh: [ClientListener.Place: Opened] = [:]
        do {
            for place in wanted.flatMap({ places(of: $0.port) }) where opened[place] == nil && fresh[place] == nil {
                fresh[place] = try make(place)
            }
        } catch {
            for port in fresh.values { Self.close(port) }
            throw error
        }
        opened.merge(fresh) { $1 }
        for want in wanted {
            for place in places(of: want.port) { opened[place]?.versionPort = want.versionPort }
        }
        return fresh.keys.compactMap { opened[$0] }
    }

    /// Takes those off that nobody wants any more; ``close(_:)`` closes them.
    mutating func takeUnwanted(_ wanted: [Wanted]) -> [Opened] {
        let places = Set(wanted.flatMap { self.places(of: $0.port) })
        let unwanted = opened.filter { !places.contains($0.key) }
        for place in unwanted.keys { opened[place] = nil }
        return Array(unwanted.values)
    }

    /// Closes all ports and removes the files of Unix sockets.
    mutating func close() {
        for port in opened.values { Self.close(port) }
        opened = [:]
    }

    /// Closes a port here, and removes its file.
    static func close(_ port: Opened) {
        port.file?.remove()
        Glibc.close(port.descriptor)
    }

    /// The sockets that a port is made of.
    private func places(of port: ReleaseManifest.ClientPort) -> [ClientListener.Place] {
        switch port {
        case .tcp(let number): addresses.all.map { .stream(Endpoint(address: $0, port: number)) }
        case .udp(let number): addresses.all.map { .datagrams(Endpoint(address: $0, port: number)) }
        case .unix(let name, _): [.local(path: "\(directory)/\(name)")]
        }
    }

    private func make(_ place: ClientListener.Place) throws -> Opened {
        switch place {
        case .stream: return Opened(descriptor: try ClientListener.open(place))
        case .datagrams: return Opened(descriptor: try ClientListener.open(place), isDatagram: true)
        case .local(let path):
            try makeDirectory()
            let descriptor = try ClientListener.open(place)
            // As a port: who may connect is said by the directory.
            guard chmod(path, 0o666) == 0, let file = SocketFile(path: path) else {
                let error = SystemError("let clients use \(path)")
                unlink(path)
                Glibc.close(descriptor)
                throw error
            }
            return Opened(descriptor: descriptor, file: file)
        }
    }

    /// Files are removed in it, with versiond's rights: so it is nobody else's to write.
    private func makeDirectory() throws {
        let parent = String(directory[..<(directory.lastIndex(of: "/") ?? directory.startIndex)])
        for path in [parent, directory] where mkdir(path, 0o755) != 0 && errno != EEXIST {
            throw SystemError("make the directory \(path)")
        }
        var found = stat()
        guard lstat(directory, &found) == 0 else { throw SystemError("look at \(directory)") }
        guard found.st_mode & S_IFMT == S_IFDIR, found.st_uid == geteuid(), found.st_mode & 0o022 == 0 else {
            throw NodeError("\(directory) must be a directory of versiond's user that nobody else can write to")
        }
    }
}

/// The file of a Unix socket, as it was when it was made.
private struct SocketFile: Codable {
    let path: String
    private let device: dev_t
    private let number: ino_t

    init?(path: String) {
        var found = stat()
        guard lstat(path, &found) == 0 else { return nil }
        self.path = path
        (device, number) = (found.st_dev, found.st_ino)
    }

    /// Removes it, unless something else is there by now.
    func remove() {
        var found = stat()
        guard lstat(path, &found) == 0, (found.st_dev, found.st_ino) == (device, number) else { return }
        unlink(path)
    }
}
