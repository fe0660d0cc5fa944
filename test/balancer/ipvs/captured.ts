/** One table as ipvsadm 1.31 and Linux 6.1 tell it, taken from the virtual machine of test/vm/ipvs. */

/** `ipvsadm -S -n` */
export const SAVE = `\
-A -f -294967296 -6 -s wlc
-A -t 10.0.0.1:80 -s wrr
-a -t 10.0.0.1:80 -r 10.0.0.2:80 -m -w 5
-a -t 10.0.0.1:80 -r 10.0.0.3:80 -g -w 2147483647
-a -t 10.0.0.1:80 -r 10.0.0.4:80 -i -w 0 --tun-type ipip
-a -t 10.0.0.1:80 -r 10.0.0.5:80 -m -w 5
-a -t 10.0.0.1:80 -r 10.0.0.6:80 -m -w 5
-a -t 10.0.0.1:80 -r 10.0.0.7:80 -m -w 5
-a -t 10.0.0.1:80 -r 10.0.0.8:80 -m -w 5
-A -t 10.0.0.79:80 -s wlc -p 360
-a -t 10.0.0.79:80 -r 10.0.0.2:80 -i -w 3 --tun-type gue --tun-port 6080 --tun-nocsum
-a -t 10.0.0.79:80 -r 10.0.0.3:80 -i -w 3 --tun-type gre --tun-csum
-a -t 10.0.0.79:80 -r 10.0.0.4:80 -i -w 3 --tun-type ipip
-a -t 10.0.0.79:80 -r 10.0.0.5:80 -i -w 3 --tun-type gue --tun-port 6081 --tun-remcsum
-A -t 10.0.0.80:80 -s sh -b sh-fallback,sh-port
-A -t 10.0.0.81:80 -s mh -b mh-port
-A -t 10.0.0.82:80 -s wlc -p 300 -M 255.255.255.0
-A --sctp-service 10.0.0.1:99 -s lc
-a --sctp-service 10.0.0.1:99 -r 10.0.0.5:100 -m -w 2
-A -u [fd00::1]:53 -s wrr -p 10 -M 64
-a -u [fd00::1]:53 -r [fd00::2]:53 -m -w 3
-a -u [fd00::1]:53 -r [fd00::3]:5353 -m -w 3
-a -u [fd00::1]:53 -r 10.0.0.9:53 -i -w 3 --tun-type ipip
-A -f 5 -s wlc
-a -f 5 -r 10.0.0.2:0 -m -w 2
-a -f 5 -r 10.0.0.3:0 -g -w 2
-A -f 5 -6 -s rr -p 50
-a -f 5 -6 -r [fd00::2]:0 -g -w 2
`;

/** /proc/net/ip_vs; lines of servers end in blanks there. */
export const PROC = `\
IP Virtual Server version 1.2.1 (size=4096)
Prot LocalAddress:Port Scheduler Flags
  -> RemoteAddress:Port Forward Weight ActiveConn InActConn
UDP  [fd00:0000:0000:0000:0000:0000:0000:0001]:0035 wrr persistent 2500 40000000
  -> 0A000009:0035      Tunnel  3      0          0
  -> [fd00:0000:0000:0000:0000:0000:0000:0003]:14E9      Masq    3      0          0
  -> [fd00:0000:0000:0000:0000:0000:0000:0002]:0035      Masq    3      0          0
TCP  0A00004F:0050 wlc  persistent 90000 FFFFFFFF
  -> 0A000005:0050      Tunnel  3      0          0
  -> 0A000004:0050      Tunnel  3      0          0
  -> 0A000003:0050      Tunnel  3      0          0
  -> 0A000002:0050      Tunnel  3      0          0
TCP  0A000052:0050 wlc  persistent 75000 FFFFFF00
TCP  0A000050:0050 sh
TCP  0A000051:0050 mh
TCP  0A000001:0050 wrr
  -> 0A000008:0050      Masq    5      0          0
  -> 0A000007:0050      Masq    5      0          0
  -> 0A000006:0050      Masq    5      0          0
  -> 0A000005:0050      Masq    5      0          0
  -> 0A000004:0050      Tunnel  0      0          0
  -> 0A000003:0050      Route   2147483647 0          0
  -> 0A000002:0050      Masq    5      0          0
SCTP  0A000001:0063 lc
  -> 0A000005:0064      Masq    2      0          0
FWM  EE6B2800 wlc
FWM  00000005 rr persistent 12500 80000000
  -> [fd00:0000:0000:0000:0000:0000:0000:0002]:0000      Route   2      0          0
FWM  00000005 wlc
  -> 0A000003:0000      Route   2      0          0
  -> 0A000002:0000      Masq    2      0          0
`.replace(/^( {2}-> .*[0-9])$/gm, '$1         ');
