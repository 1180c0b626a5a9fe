import Testing
import VersionKitModel

@testable import VersionKitReleases

/// Goal: an image becomes a release as it is. Method: images made here, up to the files that a node unpacks.
@Suite("Releases of images")
struct ImageReleaseTests {
    private static let passwd = """
        root:x:0:0:root:/root:/bin/sh
        app:x:1000:2000:The application:/srv/app:/bin/false

        """

    /// The second layer takes `etc/old` away; the first has its programs behind a link, as distributions have.
    private var layers: [[UInt8]] {
        var lower = TarBuilder()
        lower.add("usr/bin/app", content: Array("app".utf8), mode: 0o755)
        lower.add("bin", kind: "2", link: "/usr/bin")
        lower.add("etc/passwd", content: Array(Self.passwd.utf8))
        lower.add("etc/group", content: Array("staff:x:50:app\n".utf8))
        lower.add("etc/old", content: Array("old".utf8))
        var upper = TarBuilder()
        upper.add("etc/.wh.old")
        upper.add("etc/new", content: Array("new".utf8))
        return [lower.finished, upper.finished]
    }

    private func settings(_ command: String = #"["app", "serve"]"#, user: String = "app") -> String {
        #"{"Entrypoint": \#(command), "Env": ["PATH=/opt/bin:/bin", "MODE=fast"], "User": "\#(user)","#
            + #" "WorkingDir": "/srv"}"#
    }

    private func description(_ more: String = "", image: String = "image") throws -> ReleaseDescription {
        let text = """
            {
                "application": "irislog", "version": 1, "ports": { "peer": [6000] }, "health": { "port": 6000 },
                "image": "\(image)"\(more)
            }
            """
        return try ReleaseDescription(jsonBytes: Array(text.utf8), file: "release.json", directory: "/nowhere")
    }

    private func make(_ bench: Workbench, _ more: String = "", image: String = "image") async throws -> ReleaseManifest
    {
        var description = try description(more, image: bench.path(image))
        description.directory = bench.root
        return try await ReleaseMaker(runner: bench.runner).make(description: description, into: bench.path("out"))
    }

    @Test("an image's layers, command, variables, directory and user are the release's", arguments: [false, true])
    func whole(isArchive: Bool) async throws {
        let bench = try Workbench()
        try await bench.writeImage(layers, packing: "gzip", settings: settings())
        if isArchive {
            _ = try await bench.runner.run("tar", ["-C", bench.path("image"), "-cf", bench.path("image.tar"), "."])
        }
        let manifest = try await make(bench, image: isArchive ? "image.tar" : "image")
        #expect(manifest.format == 3)
        #expect(manifest.layers.map(\.mediaType) == [ReleaseManifest.Layer.imageZstd, ReleaseManifest.Layer.imageZstd])
        #expect(manifest.start == ["/bin/app", "serve"])
        let settings = try #require(manifest.startSettings)
        #expect(settings.environment == ["HOME=/srv/app", "PATH=/opt/bin:/bin", "MODE=fast"])
        #expect(settings.workingDirectory == "/srv")
        #expect(settings.user == StartSettings.User(id: 1000, group: 2000))
        #expect(try bench.names("out") == ["layers", "manifest.json"])
        #expect(try ReleaseManifest(jsonBytes: bench.read("out/manifest.json")) == manifest)
    }

    @Test("a node that imports such a release sees what a layer takes away")
    func unpacked() async throws {
        let bench = try Workbench()
        try await bench.writeImage(layers, settings: settings())
        let manifest = try await make(bench)
        try ReleaseSigner.signRelease(in: bench.path("out"), with: bench.key)
        let store = try bench.store()
        try store.importRelease(from: bench.path("out"), trust: bench.trust)
        let directories = try await store.unpack(manifest, runner: bench.runner)
        let tree = ImageTree(layers: directories.reversed())
        #expect(tree.file("/etc/old") == nil)
        #expect(tree.file("/etc/new") == directories[1] + "/etc/new")
        try store.remove(bench.application, 1)
        #expect(try bench.names("store/unpacked") == [])
    }

    @Test("what a layer takes away is gone where layers are copied over each other, too")
    func copied() async throws {
        let bench = try Workbench()
        var lower = TarBuilder()
        for name in ["etc/old", "cache/one", "tree/deep/file", "kept"] { lower.add(name, content: [1]) }
        var upper = TarBuilder()
        for name in ["etc/.wh.old", "cache/.wh..wh..opq", ".wh.tree"] { upper.add(name) }
        upper.add("cache/two", content: [2])
        try await bench.writeImage([lower.finished, upper.finished])
        let image = try await ContainerImage.unpack(
            bench.path("image"), into: bench.path("layers"), runner: bench.runner)
        for layer in image.layers.map(\.directory) {
            try Whiteouts.apply(layer, to: bench.path("all"), isCopied: false)
            _ = try await bench.runner.run(
                "sh", ["-ec", "mkdir -p $2; cp -a $1/. $2", "sh", layer, bench.path("all")])
            try Whiteouts.apply(layer, to: bench.path("all"), isCopied: true)
        }
        #expect(try bench.names("all") == ["cache", "etc", "kept"])
        #expect(try bench.names("all/cache") == ["two"])
        #expect(try bench.names("all/etc") == [])
    }

    @Test("what the description says counts, and its files lie over the image's")
    func described() async throws {
        let bench = try Workbench()
        try await bench.writeImage(layers, settings: settings())
        try bench.write("x", to: "root/etc/new")
        let manifest = try await make(
            bench,
            #", "files": "root", "start": ["/bin/other"], "user": "7:staff", "environment": ["MODE=slow"]"#
                + #", "workingDirectory": "/tmp""#)
        #expect(manifest.start == ["/bin/other"])
        #expect(manifest.layers.map(\.mediaType).last == ReleaseManifest.Layer.zstd)
        let settings = try #require(manifest.startSettings)
        #expect(settings.environment == ["PATH=/opt/bin:/bin", "MODE=slow"])
        #expect(settings.workingDirectory == "/tmp")
        #expect(settings.user == StartSettings.User(id: 7, group: 50))
    }

    @Test("a layer that an image has twice is in the release once, at its topmost place")
    func doubled() async throws {
        let bench = try Workbench()
        try await bench.writeImage([layers[1], layers[0], layers[1]], settings: settings())
        let manifest = try await make(bench)
        #expect(manifest.layers.count == 2)
        #expect(UInt64(layers[1].count) == manifest.layers.last?.unpackedSize)
    }

    @Test("what an image lacks is said, with what to do", arguments: ["command", "program", "user", "layout", "file"])
    func lacking(what: String) async throws {
        let bench = try Workbench()
        let settings =
            switch what {
            case "command": "{}"
            case "program": settings(#"["missing"]"#)
            case "user": settings(user: "nobody")
            default: settings()
            }
        try await bench.writeImage(layers, settings: settings)
        if what == "layout" { try bench.write("x", to: "empty/file") }
        let image = ["layout": "empty", "file": "missing"][what] ?? "image"
        let error = try #require(await failure { _ = try await make(bench, image: image) })
        #expect(error.side == .publisher)
        #expect(error.remedy != nil)
        #expect(bench.exists("out/manifest.json") == false)
        #expect(try bench.names("out") == ["layers"])
    }

    @Test("a user is named by words or by numbers, with a group or without")
    func users() throws {
        func user(_ text: String) throws -> StartSettings.User {
            try ImageUser(text, users: Self.passwd, groups: "staff:x:50:app\n").user
        }
        #expect(try user("") == .root)
        #expect(try user("root") == .root)
        #expect(try user("app") == .init(id: 1000, group: 2000))
        #expect(try user("1000") == .init(id: 1000, group: 2000))
        #expect(try user("app:staff") == .init(id: 1000, group: 50))
        #expect(try user("33:44") == .init(id: 33, group: 44))
        #expect(try user("33") == .init(id: 33, group: 0))
        #expect(throws: ReleaseError.self) { try user("app:nobody") }
        #expect(throws: ReleaseError.self) { try user("-1") }
    }

    @Test("a link in an image leads nowhere else, and not in circles")
    func links() async throws {
        let bench = try Workbench()
        try bench.write("secret", to: "outside/file")
        try bench.write("x", to: "layer/real/file")
        for (name, target) in [
            ("up", "../../outside"), ("circle", "circle"), ("absolute", "/real"), ("relative", "./absolute/../real"),
            ("host", bench.path("outside")),
        ] {
            _ = try await bench.runner.run("ln", ["-s", target, bench.path("layer/\(name)")])
        }
        let tree = ImageTree(layers: [bench.path("layer")])
        #expect(tree.file("/absolute/file") == bench.path("layer/real/file"))
        #expect(tree.file("relative/file") == bench.path("layer/real/file"))
        for name in ["up", "circle", "host"] { #expect(tree.file("/\(name)/file") == nil, "\(name)") }
    }

    @Test("an image may be left out, and variables and a user be given all the same")
    func without() async throws {
        let bench = try Workbench()
        try bench.write("x", to: "files/bin/app")
        var description = ReleaseDescription(manifest: bench.manifest(), files: ["files"], directory: bench.root)
        let maker = ReleaseMaker(runner: bench.runner, isCompressing: false)
        #expect(try await maker.make(description: description, into: bench.path("out")).format == 1)
        description.user = "1000:1000"
        let manifest = try await maker.make(description: description, into: bench.path("out"))
        #expect(manifest.startSettings == StartSettings(user: .init(id: 1000, group: 1000)))
        description.user = "app"
        #expect(await failure { _ = try await maker.make(description: description, into: bench.path("out")) } != nil)
    }
}
