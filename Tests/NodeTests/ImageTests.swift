import ExampleFleet
import FoundationEssentials
import Glibc
import IrisLogFleet
import Testing
import VersionKitModel
import VersionKitProcesses

/// Goal: an image that somebody's builder made is a release as it is. Method: IrisLog in one, upgraded to with clients.
@Suite("Images on nodes", .serialized)
struct ImageTests {
    #if arch(x86_64)
        private static let architecture = "amd64"
    #else
        private static let architecture = "arm64"
    #endif

    @Test("an image in OCI layout is made a release, runs as a container under its own user, and no client notices")
    func upgrade() async throws {
        let fleet = try await TestFleet(hosts: 1, settings: [#""isolation": ["oci"]"#])
        let node = fleet.nodes[0]
        let release = try await makeRelease(fleet.releases)
        let load = try await fleet.load(node, protocol: 1)
        try await node.publish(release)
        try await fleet.wait(for: "version 2", on: node) { $0.serves(only: 2) }
        let numbers = try await load.finish()
        #expect(numbers.failed == 0, "\(numbers.reasons)")
        #expect(numbers.lost == 0)
        #expect(try await fleet.load(node, protocol: 2).finish().failed == 0)
        let variables = try await Command.run(
            try Programs.directory() + "/versionctl",
            [
                "exec", "irislog", "--socket", "\(node.directory)/control.sock", "--", "/bin/sh", "-c",
                "ps -e -o uid=,args= | grep /irislog2; stat -c %u:%g /var/lib/irislog; cat /etc/removed; touch /file",
            ])
        #expect(variables.output.contains("1000 /opt/irislog/irislog2 /etc/irislog"), "\(variables.output)")
        #expect(variables.output.contains("1000:2000"), "\(variables.output)")
        #expect(variables.output.contains("No such file"), "\(variables.output)")
        #expect(variables.output.contains("Read-only file system"), "\(variables.output)")
    }

    /// Version 2 out of an image of two layers, with nothing in its description that the image says.
    private func makeRelease(_ releases: TestReleases) async throws -> String {
        let directory = "/run/releases/image"
        try #require(mkdir(directory, 0o755) == 0)
        let description = """
            {
              "application": "irislog", "version": 2, "name": "2.0", "replaces": 1,
              "ports": { "peer": [\(Fleet.peerPort)], "client": [\(Fleet.clientPort)] },
              "health": { "port": \(Fleet.clientPort), "intervalMilliseconds": 50 },
              "proxy": "/opt/irislog/irislog-proxy", "migrator": "/opt/irislog/irislog-migrate",
              "retirement": { "messagesPerSecond": 0.5, "periodMilliseconds": 300 },
              "configurationPath": "/etc/irislog", "dataPath": "/var/lib/irislog"
            }
            """
        try Data(description.utf8).write(to: URL(filePath: directory + "/release.json"))
        let made = try await Command.run(
            "sh", ["-ec", Self.script, "sh", directory, "/run/releases/files-2", Self.architecture])
        try #require(made.exit.isSuccess, "\(made.output)")
        let result = try await Command.run(
            releases.programs + "/versionctl",
            [
                "release", "make", directory + "/release.json", "--image", directory + "/image.tar", "--key",
                "/run/releases/publisher.key", "--output", directory + "/release",
            ])
        try #require(result.exit.isSuccess, "\(result.output)")
        return directory + "/release"
    }

    /// Arguments: where to make `image.tar`, the files of the first layer, and the machine's name in images.
    private static let script = #"""
        cd "$1"
        mkdir -p layer/etc upper/etc image/blobs/sha256
        cp -a "$2/." layer
        echo irislog:x:1000:2000::/var/lib/irislog:/bin/false > layer/etc/passwd
        touch layer/etc/removed upper/etc/.wh.removed
        blob() {
            digest=$(sha256sum < "$1" | cut -d ' ' -f 1)
            cp "$1" "image/blobs/sha256/$digest"
            echo "\"mediaType\": \"application/vnd.oci.image.$2\", \"digest\": \"sha256:$digest\", \"size\": $(stat -c %s "$1")"
        }
        layers= plain=
        for name in layer upper; do
            tar -C "$name" -cf "$name.tar" .
            plain=$plain${plain:+,}\"sha256:$(sha256sum < "$name.tar" | cut -d ' ' -f 1)\"
            gzip -1 "$name.tar"
            layers="$layers${layers:+,}{$(blob "$name.tar.gz" layer.v1.tar+gzip)}"
        done
        echo "{\"architecture\": \"$3\", \"os\": \"linux\", \"rootfs\": {\"type\": \"layers\", \"diff_ids\": [$plain]},
            \"config\": {\"Entrypoint\": [\"irislog2\"], \"Cmd\": [\"/etc/irislog\"], \"User\": \"irislog\",
            \"Env\": [\"PATH=/opt/irislog:/usr/bin:/bin\"], \"WorkingDir\": \"/var/lib/irislog\"}}" > config
        echo "{\"schemaVersion\": 2, \"config\": {$(blob config config.v1+json)}, \"layers\": [$layers]}" > manifest
        echo "{\"schemaVersion\": 2, \"manifests\": [{$(blob manifest manifest.v1+json)}]}" > image/index.json
        echo '{"imageLayoutVersion": "1.0.0"}' > image/oci-layout
        tar -C image -cf image.tar .
        rm -r layer upper
        """#
}
