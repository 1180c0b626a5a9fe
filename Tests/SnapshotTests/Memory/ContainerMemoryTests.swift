import Foundation
import Testing
import VersionKitIsolation

@Suite("Snapshots of memory", .serialized)
struct ContainerMemoryTests {
    @Test("a container goes on where it was, with its memory, files and connections")
    func goesOn() async throws {
        try await withContainers { containers in
            let container = try await containers.start()
            let client = try await MemoryClient(container)
            #expect(client.ask() == 1)
            let images = "\(containers.folder)/images"
            let pause = try await container.dump(to: images, keepsRunning: false)
            #expect(pause > .zero && pause < .seconds(20))
            #expect(try await !container.exists())
            try await container.restore(from: images, .kept)
            #expect(client.ask() == 2)
            #expect(try await MemoryClient(container).ask() == 3)
            #expect(try await container.tables() == "")
        }
    }

    @Test(
        "a clone has the memory of a running version and another network, and both go on",
        arguments: Container.Kind.allCases)
    func clone(kind: Container.Kind) async throws {
        try await withContainers(kind) { containers in
            let container = try await containers.start()
            let client = try await MemoryClient(container)
            #expect(client.ask() == 1)
            let images = "\(containers.folder)/images"
            _ = try await container.dump(to: images, keepsRunning: true)
            let clones = [try await containers.make(), try await containers.make()]
            for clone in clones { try await sh("cp -a '\(container.upper)/.' '\(clone.upper)'") }
            #expect(client.ask() == 2)
            for clone in clones {
                try await containers.mount(clone)
                try await clone.restore(from: images, .closed)
                let client = try await MemoryClient(clone)
                #expect(client.ask() == 2)
                #expect(client.ask() == 3)
                #expect(try await sh("cat '\(clone.upper)/state'") == "3\n")
                #expect(try await clone.tables() == "")
            }
            #expect(client.ask() == 3)
        }
    }

    @Test("what it prints to a pipe goes elsewhere from then on")
    func output() async throws {
        try await withContainers { containers in
            let files = ["before", "after"].map { "\(containers.folder)/\($0)" }
            let container = try await containers.start(printsTo: files[0])
            #expect(try await MemoryClient(container).ask() == 1)
            let images = "\(containers.folder)/images"
            _ = try await container.dump(to: images, keepsRunning: false)
            let output = open(files[1], O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
            try await container.restore(from: images, .kept, output: output)
            close(output)
            #expect(try await MemoryClient(container).ask() == 2)
            // It has printed before it answers.
            #expect(try await sh("cat '\(files[1])'") == "2\n")
        }
    }

    @Test("memory and files are of one moment", arguments: Container.Kind.allCases)
    func oneMoment(kind: Container.Kind) async throws {
        try await withContainers(kind) { containers in
            let container = try await containers.start()
            let client = try await MemoryClient(container)
            let asking = AskingClient(client)
            let images = "\(containers.folder)/images"
            let clone = try await containers.make()
            try await sh("rm -r '\(clone.bundle)/data'")
            let figures = try await FileSnapshot.take(
                ["upper"], of: "\(container.bundle)/data", to: "\(clone.bundle)/data", limit: .seconds(30),
                pausing: FileSnapshot.Pausing(
                    pause: { () throws(IsolationError) in try await runc("pause", container) },
                    resume: { () throws(IsolationError) in try await runc("resume", container) },
                    meanwhile: { () throws(IsolationError) in
                        _ = try await container.dump(to: images, keepsRunning: true)
                    }))
            await asking.end()
            #expect(figures.pause > .zero)
            let written = try #require(Int(try await sh("cat '\(clone.upper)/state'").dropLast()))
            try await sh("mkdir '\(clone.bundle)/data/work'")
            try await containers.mount(clone)
            try await clone.restore(from: images, .closed)
            // One question may have been counted but not written, or not answered: never more than that.
            let next = try #require(try await MemoryClient(clone).ask())
            #expect((written + 1...written + 2).contains(next))
        }
    }

    @Test("what cannot be restored says why and leaves nothing, and can be restored in another way")
    func failedRestore() async throws {
        try await withContainers { containers in
            let container = try await containers.start()
            let client = try await MemoryClient(container)
            #expect(client.ask() == 1)
            let images = "\(containers.folder)/images"
            _ = try await container.dump(to: images, keepsRunning: true)
            let clone = try await containers.make()
            try await sh("cp -a '\(container.upper)/.' '\(clone.upper)'")
            try await containers.mount(clone)
            let error = await #expect(throws: IsolationError.self) {
                // The connections have an address that this network does not have.
                try await clone.restore(from: images, .kept)
            }
            #expect("\(try #require(error))".contains("Can't bind inet socket back"))
            #expect(try await !clone.exists())
            #expect(try await clone.tables() == "")
            try await clone.restore(from: images, .closed)
            #expect(try await MemoryClient(clone).ask() == 2)
            #expect(client.ask() == 2)
        }
    }

    @Test("a dump that did not begin in time leaves the container as it was, and nothing else")
    func noTime() async throws {
        try await withContainers(limit: .milliseconds(1)) { containers in
            let container = try await containers.start()
            let client = try await MemoryClient(container)
            #expect(client.ask() == 1)
            let images = "\(containers.folder)/images"
            let error = await #expect(throws: IsolationError.self) {
                try await container.dump(to: images, keepsRunning: true)
            }
            #expect("\(try #require(error))".contains("took longer than"))
            #expect(client.ask() == 2)
            #expect(!FileManager.default.fileExists(atPath: images))
        }
    }

    @Test("a dump that takes too long leaves nothing behind, whenever it is ended", arguments: [50, 100, 150, 200])
    func slowDump(milliseconds: Int) async throws {
        try await withContainers(limit: .milliseconds(milliseconds)) { containers in
            let container = try await containers.start(megabytes: 128)
            let client = try await MemoryClient(container)
            #expect(client.ask() == 1)
            let images = "\(containers.folder)/images"
            let pause = try? await container.dump(to: images, keepsRunning: true)
            #expect(FileManager.default.fileExists(atPath: images) == (pause != nil))
            #expect(try await container.tables() == "")
            // It goes on, or CRIU was at work in it and it has ended: it never hangs.
            let answer = client.ask()
            #expect(answer == 2 || (answer == nil && pause == nil))
            try await sh("\(container.runc) delete --force \(container.name)")
        }
    }

    @Test("it is tried again when processes cannot be stopped in time, a few times at most", arguments: [1, 5])
    func unstoppable(failures: Int) async throws {
        try await withContainers { containers in
            let container = try await containers.start()
            let client = try await MemoryClient(container)
            #expect(client.ask() == 1)
            // As CRIU says it, whose own ten seconds nobody has to wait for here.
            let runc = "\(containers.folder)/sometimes-runc"
            try #"""
            #!/bin/bash
            tries='\#(containers.folder)/tries'
            if [[ " $* " = *' checkpoint '* ]]; then
                echo try >>"$tries"
                if [ "$(wc -l <"$tries")" -le \#(failures) ]; then
                    all="$*"
                    work=${all#*--work-path }
                    echo '(10.1) Error (criu/cr-dump.c:1999): Timeout reached. Try to interrupt: 0' \
                        >"${work%% *}/dump.log"
                    exit 1
                fi
            fi
            exec runc "$@"
            """#.write(toFile: runc, atomically: false, encoding: .utf8)
            chmod(runc, 0o755)
            var memory = containers.memory
            memory.runc = runc
            let images = "\(containers.folder)/images"
            let result: Result<Duration, IsolationError>
            do throws(IsolationError) {
                result = .success(
                    try await memory.dump(container.name, to: images, keepsRunning: true, network: container.network))
            } catch {
                result = .failure(error)
            }
            let tries = try await sh("wc -l <'\(containers.folder)/tries'").trimmingCharacters(
                in: .whitespacesAndNewlines)
            switch result {
            case .success(let pause): #expect(failures == 1 && tries == "2" && pause > .zero)
            case .failure(let error):
                #expect(failures == 5 && tries == "3" && "\(error)".contains("Timeout reached"), "\(error)")
            }
            #expect(
                try await sh("test -e '\(images)' && echo there || echo none").hasPrefix(
                    failures == 1 ? "there" : "none"))
            #expect(client.ask() == 2)
        }
    }

    @Test("a container that is not there cannot be dumped")
    func noContainer() async throws {
        try await withContainers { containers in
            let container = try await containers.make()
            await #expect(throws: IsolationError.self) {
                try await container.dump(to: "\(containers.folder)/images", keepsRunning: true)
            }
            #expect(!FileManager.default.fileExists(atPath: "\(containers.folder)/images"))
        }
    }
}
