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
        fileprivate let file: SocketFile?
    }

    private let address: IPv4Address
    private let directory: String
    private var opened: [ReleaseManifest.ClientPort: Opened] = [:]

    /// No ports yet.
    ///
    /// - Parameter directory: where Unix sockets are made; it and its parent are made with the first one.
    init(address: IPv4Address, directory: String) {
        self.address = address
        self.directory = directory
    }

    /// All that are open.
    var all: [Opened] { Array(opened.values) }

    /// Opens what is not open yet, all of it or nothing. The others lead to where they are wanted now.
    ///
    /// - Returns: the new ones.
    mutating func open(_ wanted: [Wanted]) throws -> [Opened] {
        var fresh: [ReleaseManifest.ClientPort: Opened] = [:]
        do {
            for want in wanted where opened[want.port.place] == nil {
                guard fresh[want.port.place] == nil else {
                    fresh[want.port.place]?.versionPort = want.versionPort
                    continue
                }
                fresh[want.port.place] = try make(want)
            }
        } catch {
            for port in fresh.values { Self.close(port) }
            throw error
        }
        for want in wanted { opened[want.port.place]?.versionPort = want.versionPort }
        opened.merge(fresh) { $1 }
        return Array(fresh.values)
    }

    /// Closes all ports and removes the files of Unix sockets.
    mutating func close() {
        for port in opened.values { Self.close(port) }
        opened = [:]
    }

    private static func close(_ port: Opened) {
        port.file?.remove()
        Glibc.close(port.descriptor)
    }

    private func make(_ want: Wanted) throws -> Opened {
        switch want.port {
        case .tcp(let port):
            let descriptor = try ClientListener.open(.stream(Endpoint(address: address, port: port)))
            return Opened(versionPort: want.versionPort, descriptor: descriptor, file: nil)
        case .udp(let port):
            let descriptor = try ClientListener.open(.datagrams(Endpoint(address: address, port: port)))
            return Opened(versionPort: want.versionPort, descriptor: descriptor, isDatagram: true, file: nil)
        case .unix(let name, _):
            try makeDirectory()
            let path = "\(directory)/\(name)"
            let descriptor = try ClientListener.open(.local(path: path))
            // As a port: who may connect is said by the directory.
            guard chmod(path, 0o666) == 0, let file = SocketFile(path: path) else {
                let error = SystemError("let clients use \(path)")
                unlink(path)
                Glibc.close(descriptor)
                throw error
            }
            return Opened(versionPort: want.versionPort, descriptor: descriptor, file: file)
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
private struct SocketFile {
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
