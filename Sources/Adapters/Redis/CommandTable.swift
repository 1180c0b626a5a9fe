// Made by scripts/redis-commands from redis-server 7.0.15: do not edit.

import VersionKit

extension RespCommandTable {
    /// What the server's `COMMAND` says: name, arity, flags and key specifications of each command, one a line.
    static let redis = RespCommandTable(
        """
        acl -2 -
        acl|cat -2 -
        acl|deluser -3 -
        acl|dryrun -4 -
        acl|genpass -2 -
        acl|getuser 3 -
        acl|help 2 -
        acl|list 2 -
        acl|load 2 -
        acl|log -2 -
        acl|save 2 -
        acl|setuser -3 -
        acl|users 2 -
        acl|whoami 2 -
        append 3 w 1:0,1,0
        asking 1 -
        auth -2 -
        bgrewriteaof 1 -
        bgsave -1 -
        bitcount -2 r 1:0,1,0
        bitfield -2 w 1:0,1,0
        bitfield_ro -2 r 1:0,1,0
        bitop -4 w 2:0,1,0 3:-1,1,0
        bitpos -3 r 1:0,1,0
        blmove 6 wb 1:0,1,0 2:0,1,0
        blmpop -5 wb 2:n0,1,1
        blpop -3 wb 1:-2,1,0
        brpop -3 wb 1:-2,1,0
        brpoplpush 4 wb 1:0,1,0 2:0,1,0
        bzmpop -5 wb 2:n0,1,1
        bzpopmax -3 wb 1:-2,1,0
        bzpopmin -3 wb 1:-2,1,0
        client -2 -
        client|caching 3 -
        client|getname 2 -
        client|getredir 2 -
        client|help 2 -
        client|id 2 -
        client|info 2 -
        client|kill -3 -
        client|list -2 -
        client|no-evict 3 -
        client|pause -3 -
        client|reply 3 -
        client|setname 3 -
        client|tracking -3 -
        client|trackinginfo 2 -
        client|unblock -3 -
        client|unpause 2 -
        cluster -2 -
        cluster|addslots -3 -
        cluster|addslotsrange -4 -
        cluster|bumpepoch 2 -
        cluster|count-failure-reports 3 -
        cluster|countkeysinslot 3 -
        cluster|delslots -3 -
        cluster|delslotsrange -4 -
        cluster|failover -2 -
        cluster|flushslots 2 -
        cluster|forget 3 -
        cluster|getkeysinslot 4 -
        cluster|help 2 -
        cluster|info 2 -
        cluster|keyslot 3 -
        cluster|links 2 -
        cluster|meet -4 -
        cluster|myid 2 -
        cluster|nodes 2 -
        cluster|replicas 3 -
        cluster|replicate 3 -
        cluster|reset -2 -
        cluster|saveconfig 2 -
        cluster|set-config-epoch 3 -
        cluster|setslot -4 -
        cluster|shards 2 -
        cluster|slaves 3 -
        cluster|slots 2 -
        command -1 -
        command|count 2 -
        command|docs -2 -
        command|getkeys -4 -
        command|getkeysandflags -4 -
        command|help 2 -
        command|info -2 -
        command|list -2 -
        config -2 -
        config|get -3 -
        config|help 2 -
        config|resetstat 2 -
        config|rewrite 2 -
        config|set -4 -
        copy -3 w 1:0,1,0 2:0,1,0
        dbsize 1 r
        debug -2 -
        decr 2 w 1:0,1,0
        decrby 3 w 1:0,1,0
        del -2 w 1:-1,1,0
        discard 1 -
        dump 2 r 1:0,1,0
        echo 2 -
        eval -3 - 2:n0,1,1
        eval_ro -3 r 2:n0,1,1
        evalsha -3 - 2:n0,1,1
        evalsha_ro -3 r 2:n0,1,1
        exec 1 -
        exists -2 r 1:-1,1,0
        expire -3 w 1:0,1,0
        expireat -3 w 1:0,1,0
        expiretime 2 r 1:0,1,0
        failover -1 -
        fcall -3 - 2:n0,1,1
        fcall_ro -3 r 2:n0,1,1
        flushall -1 w
        flushdb -1 w
        function -2 -
        function|delete 3 w
        function|dump 2 -
        function|flush -2 w
        function|help 2 -
        function|kill 2 -
        function|list -2 -
        function|load -3 w
        function|restore -3 w
        function|stats 2 -
        geoadd -5 w 1:0,1,0
        geodist -4 r 1:0,1,0
        geohash -2 r 1:0,1,0
        geopos -2 r 1:0,1,0
        georadius -6 w 1:0,1,0 STORE@6:0,1,0 STOREDIST@6:0,1,0
        georadius_ro -6 r 1:0,1,0
        georadiusbymember -5 w 1:0,1,0 STORE@5:0,1,0 STOREDIST@5:0,1,0
        georadiusbymember_ro -5 r 1:0,1,0
        geosearch -7 r 1:0,1,0
        geosearchstore -8 w 1:0,1,0 2:0,1,0
        get 2 r 1:0,1,0
        getbit 3 r 1:0,1,0
        getdel 2 w 1:0,1,0
        getex -2 w 1:0,1,0
        getrange 4 r 1:0,1,0
        getset 3 w 1:0,1,0
        hdel -3 w 1:0,1,0
        hello -1 -
        hexists 3 r 1:0,1,0
        hget 3 r 1:0,1,0
        hgetall 2 r 1:0,1,0
        hincrby 4 w 1:0,1,0
        hincrbyfloat 4 w 1:0,1,0
        hkeys 2 r 1:0,1,0
        hlen 2 r 1:0,1,0
        hmget -3 r 1:0,1,0
        hmset -4 w 1:0,1,0
        hrandfield -2 r 1:0,1,0
        hscan -3 r 1:0,1,0
        hset -4 w 1:0,1,0
        hsetnx 4 w 1:0,1,0
        hstrlen 3 r 1:0,1,0
        hvals 2 r 1:0,1,0
        incr 2 w 1:0,1,0
        incrby 3 w 1:0,1,0
        incrbyfloat 3 w 1:0,1,0
        info -1 -
        keys 2 r
        lastsave 1 -
        latency -2 -
        latency|doctor 2 -
        latency|graph 3 -
        latency|help 2 -
        latency|histogram -2 -
        latency|history 3 -
        latency|latest 2 -
        latency|reset -2 -
        lcs -3 r 1:1,1,0
        lindex 3 r 1:0,1,0
        linsert 5 w 1:0,1,0
        llen 2 r 1:0,1,0
        lmove 5 w 1:0,1,0 2:0,1,0
        lmpop -4 w 1:n0,1,1
        lolwut -1 r
        lpop -2 w 1:0,1,0
        lpos -3 r 1:0,1,0
        lpush -3 w 1:0,1,0
        lpushx -3 w 1:0,1,0
        lrange 4 r 1:0,1,0
        lrem 4 w 1:0,1,0
        lset 4 w 1:0,1,0
        ltrim 4 w 1:0,1,0
        memory -2 -
        memory|doctor 2 -
        memory|help 2 -
        memory|malloc-stats 2 -
        memory|purge 2 -
        memory|stats 2 -
        memory|usage -3 r 2:0,1,0
        mget -2 r 1:-1,1,0
        migrate -6 w 3:0,1,0 KEYS@-2:-1,1,0
        module -2 -
        module|help 2 -
        module|list 2 -
        module|load -3 -
        module|loadex -3 -
        module|unload 3 -
        monitor 1 -
        move 3 w 1:0,1,0
        mset -3 w 1:-1,2,0
        msetnx -3 w 1:-1,2,0
        multi 1 -
        object -2 -
        object|encoding 3 r 2:0,1,0
        object|freq 3 r 2:0,1,0
        object|help 2 -
        object|idletime 3 r 2:0,1,0
        object|refcount 3 r 2:0,1,0
        persist 2 w 1:0,1,0
        pexpire -3 w 1:0,1,0
        pexpireat -3 w 1:0,1,0
        pexpiretime 2 r 1:0,1,0
        pfadd -2 w 1:0,1,0
        pfcount -2 r 1:-1,1,0
        pfdebug 3 w 2:0,1,0
        pfmerge -2 w 1:0,1,0 2:-1,1,0
        pfselftest 1 -
        ping -1 -
        psetex 4 w 1:0,1,0
        psubscribe -2 p
        psync -3 -
        pttl 2 r 1:0,1,0
        publish 3 p
        pubsub -2 -
        pubsub|channels -2 p
        pubsub|help 2 -
        pubsub|numpat 2 p
        pubsub|numsub -2 p
        pubsub|shardchannels -2 p
        pubsub|shardnumsub -2 p
        punsubscribe -1 p
        quit -1 -
        randomkey 1 r
        readonly 1 -
        readwrite 1 -
        rename 3 w 1:0,1,0 2:0,1,0
        renamenx 3 w 1:0,1,0 2:0,1,0
        replconf -1 -
        replicaof 3 -
        reset 1 -
        restore -4 w 1:0,1,0
        restore-asking -4 w 1:0,1,0
        role 1 -
        rpop -2 w 1:0,1,0
        rpoplpush 3 w 1:0,1,0 2:0,1,0
        rpush -3 w 1:0,1,0
        rpushx -3 w 1:0,1,0
        sadd -3 w 1:0,1,0
        save 1 -
        scan -2 r
        scard 2 r 1:0,1,0
        script -2 -
        script|debug 3 -
        script|exists -3 -
        script|flush -2 -
        script|help 2 -
        script|kill 2 -
        script|load 3 -
        sdiff -2 r 1:-1,1,0
        sdiffstore -3 w 1:0,1,0 2:-1,1,0
        select 2 -
        set -3 w 1:0,1,0
        setbit 4 w 1:0,1,0
        setex 4 w 1:0,1,0
        setnx 3 w 1:0,1,0
        setrange 4 w 1:0,1,0
        shutdown -1 -
        sinter -2 r 1:-1,1,0
        sintercard -3 r 1:n0,1,1
        sinterstore -3 w 1:0,1,0 2:-1,1,0
        sismember 3 r 1:0,1,0
        slaveof 3 -
        slowlog -2 -
        slowlog|get -2 -
        slowlog|help 2 -
        slowlog|len 2 -
        slowlog|reset 2 -
        smembers 2 r 1:0,1,0
        smismember -3 r 1:0,1,0
        smove 4 w 1:0,1,0 2:0,1,0
        sort -2 w 1:0,1,0 STORE@2:0,1,0
        sort_ro -2 r 1:0,1,0
        spop -2 w 1:0,1,0
        spublish 3 p 1:0,1,0
        srandmember -2 r 1:0,1,0
        srem -3 w 1:0,1,0
        sscan -3 r 1:0,1,0
        ssubscribe -2 p 1:-1,1,0
        strlen 2 r 1:0,1,0
        subscribe -2 p
        substr 4 r 1:0,1,0
        sunion -2 r 1:-1,1,0
        sunionstore -3 w 1:0,1,0 2:-1,1,0
        sunsubscribe -1 p 1:-1,1,0
        swapdb 3 w
        sync 1 -
        time 1 -
        touch -2 r 1:-1,1,0
        ttl 2 r 1:0,1,0
        type 2 r 1:0,1,0
        unlink -2 w 1:-1,1,0
        unsubscribe -1 p
        unwatch 1 -
        wait 3 -
        watch -2 - 1:-1,1,0
        xack -4 w 1:0,1,0
        xadd -5 w 1:0,1,0
        xautoclaim -6 w 1:0,1,0
        xclaim -6 w 1:0,1,0
        xdel -3 w 1:0,1,0
        xgroup -2 -
        xgroup|create -5 w 2:0,1,0
        xgroup|createconsumer 5 w 2:0,1,0
        xgroup|delconsumer 5 w 2:0,1,0
        xgroup|destroy 4 w 2:0,1,0
        xgroup|help 2 -
        xgroup|setid -5 w 2:0,1,0
        xinfo -2 -
        xinfo|consumers 4 r 2:0,1,0
        xinfo|groups 3 r 2:0,1,0
        xinfo|help 2 -
        xinfo|stream -3 r 2:0,1,0
        xlen 2 r 1:0,1,0
        xpending -3 r 1:0,1,0
        xrange -4 r 1:0,1,0
        xread -4 rb STREAMS@1:-1,1,2
        xreadgroup -7 wb STREAMS@4:-1,1,2
        xrevrange -4 r 1:0,1,0
        xsetid -3 w 1:0,1,0
        xtrim -4 w 1:0,1,0
        zadd -4 w 1:0,1,0
        zcard 2 r 1:0,1,0
        zcount 4 r 1:0,1,0
        zdiff -3 r 1:n0,1,1
        zdiffstore -4 w 1:0,1,0 2:n0,1,1
        zincrby 4 w 1:0,1,0
        zinter -3 r 1:n0,1,1
        zintercard -3 r 1:n0,1,1
        zinterstore -4 w 1:0,1,0 2:n0,1,1
        zlexcount 4 r 1:0,1,0
        zmpop -4 w 1:n0,1,1
        zmscore -3 r 1:0,1,0
        zpopmax -2 w 1:0,1,0
        zpopmin -2 w 1:0,1,0
        zrandmember -2 r 1:0,1,0
        zrange -4 r 1:0,1,0
        zrangebylex -4 r 1:0,1,0
        zrangebyscore -4 r 1:0,1,0
        zrangestore -5 w 1:0,1,0 2:0,1,0
        zrank 3 r 1:0,1,0
        zrem -3 w 1:0,1,0
        zremrangebylex 4 w 1:0,1,0
        zremrangebyrank 4 w 1:0,1,0
        zremrangebyscore 4 w 1:0,1,0
        zrevrange -4 r 1:0,1,0
        zrevrangebylex -4 r 1:0,1,0
        zrevrangebyscore -4 r 1:0,1,0
        zrevrank 3 r 1:0,1,0
        zscan -3 r 1:0,1,0
        zscore 3 r 1:0,1,0
        zunion -3 r 1:n0,1,1
        zunionstore -4 w 1:0,1,0 2:n0,1,1
        """, roles: CommandRoles.lines)
}
