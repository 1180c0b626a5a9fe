import FoundationEssentials
import Testing
import VersionKitModel

@Suite("ReleaseManifest")
struct ReleaseManifestTests {
    private func manifest() throws -> ReleaseManifest {
        ReleaseManifest(
            application: try #require(ApplicationID(rawValue: "irislog")), version: 2, name: "2.0", replaces: 1,
            ports: .init(peer: [6000], client: [6001]),
            layers: [.init(digest: try #require(Digest(hex: String(repeating: "ab", count: 32))), size: 10240)],
            start: ["/usr/bin/irislogd", "--port", "6000"], healthCheck: .init(port: 6001),
            proxy: ["/usr/bin/irislog-proxy"], migrator: ["/usr/bin/irislog-migrate"],
            configurationPath: "/etc/irislog", dataPath: "/var/lib/irislog")
    }

    /// Changes one thing and says which field is complained about.
    private func complaint(_ change: (inout ReleaseManifest) -> Void) throws -> ManifestError? {
        var manifest = try manifest()
        change(&manifest)
        do throws(ManifestError) {
            try manifest.validate()
            return nil
        } catch {
            #expect(!error.problem.isEmpty && !error.remedy.isEmpty)
            return error
        }
    }

    @Test("a sound manifest is valid, with and without its optional parts")
    func sound() throws {
        #expect(try complaint { _ in } == nil)
        let bare = try complaint {
            $0.replaces = nil
            $0.proxy = nil
            $0.migrator = nil
            $0.configurationPath = nil
            $0.dataPath = nil
            $0.ports.peer = []
        }
        #expect(bare == nil)
    }

    @Test("a port has one role, and is a port")
    func ports() throws {
        let both = try #require(try complaint { $0.ports.client = [6002, 6000] })
        #expect(both.code == .conflict)
        #expect(both.description.contains("ports.client[1]: port 6000 is already in ports.peer"))
        #expect(try complaint { $0.ports.peer = [6000, 6000] }?.field == "ports.peer[1]")
        #expect(try complaint { $0.ports.peer = [0] }?.field == "ports.peer[0]")
        #expect(try complaint { $0.ports = .init() }?.field == "ports")
        #expect(try complaint { $0.ports.peer = (1...33).map { .tcp($0) } }?.code == .outOfBounds)
        #expect(try complaint { $0.healthCheck.port = 0 }?.field == "healthCheck.port")
    }

    @Test("a client port is TCP, UDP or a Unix socket, each of which is there once")
    func clientPorts() throws {
        let all: [ReleaseManifest.ClientPort] = [6001, .udp(6001), .udp(6000), .unix(name: "irislog.sock", port: 6001)]
        #expect(try complaint { $0.ports.client = all } == nil)
        let twice = try #require(try complaint { $0.ports.client = [.udp(53), .udp(53)] })
        #expect(twice.description.contains("ports.client[1]: UDP port 53 is already in ports.client"))
        let same = try complaint { $0.ports.client = [.unix(name: "a", port: 1), .unix(name: "a", port: 2)] }
        #expect(same?.field == "ports.client[1]")
        #expect(same?.code == .conflict)
        #expect(try complaint { $0.ports.client = [.udp(0)] }?.field == "ports.client[0]")
        #expect(try complaint { $0.ports.client = [.unix(name: "a", port: 0)] }?.field == "ports.client[0].port")
        #expect(try complaint { $0.ports.client = [.unix(name: "a", port: 6000)] }?.code == .conflict)
    }

    @Test(
        "the name of a Unix socket is a plain one of bounded length",
        arguments: [
            "..", ".", ".hidden", "a/b", "/tmp/a", "../a", "a b", "a\u{e9}", "a\u{0}b", "",
            String(repeating: "a", count: 49),
        ])
    func socketNames(_ name: String) throws {
        #expect(try complaint { $0.ports.client = [.unix(name: name, port: 6001)] }?.field == "ports.client[0].unix")
    }

    @Test("client ports are read as they were written; a bare number is TCP and stays one")
    func clientPortsInJSON() throws {
        let text = #"[6001,{"udp":53},{"port":6001,"unix":"a.sock"}]"#
        let ports: [ReleaseManifest.ClientPort] = [6001, .udp(53), .unix(name: "a.sock", port: 6001)]
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        #expect(try JSONDecoder().decode([ReleaseManifest.ClientPort].self, from: Data(text.utf8)) == ports)
        #expect(String(decoding: try encoder.encode(ports), as: UTF8.self) == text)
        let tcp = try JSONDecoder().decode([ReleaseManifest.ClientPort].self, from: Data(#"[{"tcp":80}]"#.utf8))
        #expect(tcp == [80])
        for bad in [#"[{}]"#, #"[{"sctp":80}]"#, #"[{"udp":80,"tcp":80}]"#, #"[{"unix":"a"}]"#, "[70000]", #"["80"]"#] {
            #expect(throws: DecodingError.self) {
                try JSONDecoder().decode([ReleaseManifest.ClientPort].self, from: Data(bad.utf8))
            }
        }
    }

    @Test("the main port of a version is the first that is not a datagram's")
    func mainPort() {
        typealias Ports = ReleaseManifest.Ports
        #expect(Ports().main == nil)
        #expect(Ports(client: [.udp(53)]).main == 53)
        #expect(Ports(client: [.udp(53), .unix(name: "a", port: 80), 81]).main == 80)
    }

    @Test("paths are absolute and do not lead upwards")
    func paths() throws {
        #expect(try complaint { $0.configurationPath = "etc" }?.code == .badPath)
        #expect(try complaint { $0.dataPath = "/var/../etc" }?.code == .badPath)
        #expect(try complaint { $0.dataPath = "/var/..data" } == nil)
        #expect(try complaint { $0.start = ["irislogd"] }?.field == "start[0]")
        #expect(try complaint { $0.proxy = ["/../../bin/sh"] }?.field == "proxy[0]")
        #expect(try complaint { $0.migrator = [] }?.field == "migrator")
        #expect(try complaint { $0.start = ["/bin/a\u{0}b"] }?.field == "start[0]")
        #expect(try complaint { $0.start.append("a\u{0}b") }?.field == "start[3]")
        #expect(try complaint { $0.dataPath = "/" + String(repeating: "a", count: 1024) }?.code == .outOfBounds)
    }

    @Test("layers are few, different, of a known kind and within their size")
    func layers() throws {
        #expect(try complaint { $0.layers = [] }?.field == "layers")
        #expect(try complaint { $0.layers += $0.layers }?.code == .conflict)
        #expect(try complaint { $0.layers[0].size = 0 }?.field == "layers[0].size")
        #expect(try complaint { $0.layers[0].size = .max }?.code == .outOfBounds)
        #expect(try complaint { $0.layers[0].mediaType = "text/plain" }?.code == .unsupported)
        #expect(try complaint { $0.layers = Array(repeating: $0.layers[0], count: 65) }?.field == "layers")
    }

    @Test("a compressed layer comes with a newer format, and says what it unpacks to; no other does")
    func compressedLayers() throws {
        func complaint(_ type: String, unpacked: UInt64?, hasChunks: Bool = false, format: Int = 3) throws -> String? {
            let error = try self.complaint {
                $0.layers[0].mediaType = type
                $0.layers[0].unpackedSize = unpacked
                $0.layers[0].chunks = hasChunks ? $0.layers[0].digest : nil
                $0.format = format
            }
            return error?.field
        }
        typealias Layer = ReleaseManifest.Layer
        for type in [Layer.zstd, Layer.imageZstd] {
            #expect(try complaint(type, unpacked: 1) == nil)
            #expect(try complaint(type, unpacked: 8 << 30, hasChunks: true) == nil)
            #expect(try complaint(type, unpacked: 1, format: 2) == "format")
            for size in [nil, 0, 8 << 30 + 1, .max] as [UInt64?] {
                #expect(try complaint(type, unpacked: size) == "layers[0].unpackedSize")
            }
        }
        #expect(try complaint(Layer.tar, unpacked: nil, format: 1) == nil)
        #expect(try complaint(Layer.tar, unpacked: 1, format: 1) == "layers[0]")
        #expect(try complaint(Layer.image, unpacked: nil, hasChunks: true, format: 2) == "layers[0]")
    }

    @Test("how a version is started comes with a newer format, and keeps its bounds")
    func startSettings() throws {
        func complaint(_ settings: StartSettings, format: Int = 2) throws -> ManifestError? {
            try self.complaint {
                $0.startSettings = settings
                $0.format = format
            }
        }
        let good = StartSettings(
            environment: ["A=", "B=x=y"], workingDirectory: "/srv", user: .init(id: 1000, group: .max))
        #expect(try complaint(good) == nil)
        #expect(try complaint(good, format: 1)?.code == .unsupported)
        #expect(try self.complaint { $0.layers[0].mediaType = ReleaseManifest.Layer.image }?.code == .unsupported)
        for variable in ["A", "=x", "", "A=1\t", "A=\n", "A=\0"] {
            #expect(try complaint(.init(environment: [variable]))?.field == "startSettings.environment[0]")
        }
        let many = Array(repeating: "A=", count: 129)
        #expect(try complaint(.init(environment: many))?.code == .outOfBounds)
        let long = "A=" + String(repeating: "x", count: 32 << 10)
        #expect(try complaint(.init(environment: [long]))?.code == .outOfBounds)
        #expect(try complaint(.init(workingDirectory: "srv"))?.code == .badPath)
    }

    @Test("numbers, names and formats keep their bounds")
    func bounds() throws {
        #expect(try complaint { $0.format = 2 }?.code == .unsupported)
        #expect(try complaint { $0.name = "" }?.field == "name")
        #expect(try complaint { $0.name = "2.0\u{1b}[31m" }?.field == "name")
        #expect(try complaint { $0.name = String(repeating: "x", count: 65) }?.field == "name")
        #expect(try complaint { $0.replaces = 2 }?.code == .conflict)
        #expect(try complaint { $0.start = [] }?.field == "start")
        #expect(try complaint { $0.healthCheck.kind = .init(rawValue: "icmp") }?.code == .unsupported)
        #expect(try complaint { $0.healthCheck.startupTimeoutMilliseconds = 0 }?.code == .outOfBounds)
        #expect(try complaint { $0.healthCheck.intervalMilliseconds = -1 }?.code == .outOfBounds)
        func spread(_ rule: StagedSpread) throws -> String? {
            try complaint { manifest in
                manifest.spread = rule
                manifest.format = manifest.formatNeeded
            }?.field
        }
        #expect(try spread(StagedSpread()) == nil)
        #expect(try spread(StagedSpread(canaryPercent: 101)) == "spread.canaryPercent")
        #expect(try spread(StagedSpread(observationMilliseconds: 0)) == "spread.observationMilliseconds")
        #expect(try spread(StagedSpread(promotions: 0)) == "spread.promotions")
        #expect(try complaint { $0.retirement.messagesPerSecond = .nan }?.field == "retirement.messagesPerSecond")
        #expect(try complaint { $0.retirement.messagesPerSecond = -1 }?.field == "retirement.messagesPerSecond")
        #expect(try complaint { $0.retirement.periodMilliseconds = .max }?.field == "retirement.periodMilliseconds")
        #expect(try complaint { ($0.format, $0.retirement.replay) = (3, true) } == nil)
        #expect(
            try complaint { ($0.format, $0.retirement.replay, $0.method) = (3, true, .package) }?.field
                == "retirement.replay")
    }
}
