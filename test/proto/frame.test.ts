/** Frames against every cut of the stream, and against lengths that no frame may have. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createFrameDecoder, encodeFrame, FrameError, frameHeaderBytes } from '../../proto/frame.js';
import { random } from './random.js';

function readAll(chunks: readonly Uint8Array[], limit = 1024): string[] {
  const decoder = createFrameDecoder(limit);
  return chunks.flatMap((chunk) => [...decoder.push(chunk)].map((frame) => frame.toString('latin1')));
}

function header(length: number): Buffer {
  const bytes = Buffer.alloc(frameHeaderBytes);
  bytes.writeUInt32BE(length, 0);
  return bytes;
}

describe('frames', () => {
  const wanted = ['a', 'second frame', 'x'.repeat(300), 'end'];
  const stream = Buffer.concat(wanted.map((text) => encodeFrame(Buffer.from(text, 'latin1'))));

  test('[N1] a frame is its length in 4 bytes, big-endian, and the bytes', () => {
    assert.deepEqual(encodeFrame(Buffer.from('hi')), Buffer.from([0, 0, 0, 2, 0x68, 0x69]));
  });

  test('[N3] every cut of the stream into two gives the same frames', () => {
    for (let cut = 0; cut <= stream.length; cut += 1) {
      assert.deepEqual(readAll([stream.subarray(0, cut), stream.subarray(cut)]), wanted, `cut at ${cut}`);
    }
  });

  test('[N3] every cut into three, around the headers, gives the same frames', () => {
    for (let first = 0; first <= 30; first += 1) {
      for (let second = first; second <= 40; second += 1) {
        const parts = [stream.subarray(0, first), stream.subarray(first, second), stream.subarray(second)];
        assert.deepEqual(readAll(parts), wanted, `cuts at ${first} and ${second}`);
      }
    }
  });

  test('[N3] byte by byte, and in random pieces', () => {
    assert.deepEqual(readAll([...stream].map((byte) => Buffer.from([byte]))), wanted);
    const r = random(7);
    for (let round = 0; round < 200; round += 1) {
      const parts: Buffer[] = [];
      for (let at = 0; at < stream.length; ) {
        const size = r.below(40);
        parts.push(stream.subarray(at, at + size));
        at += size;
      }
      assert.deepEqual(readAll(parts), wanted);
    }
  });

  test('[N3] what follows the last whole frame is kept and not given out', () => {
    const decoder = createFrameDecoder(1024);
    const frames = [...decoder.push(Buffer.concat([stream, Buffer.from([0, 0, 0, 9, 1, 2])]))];
    assert.equal(frames.length, wanted.length);
    assert.equal(decoder.pending(), 6);
  });

  test('[N1] length 0 and a length above the limit are refused with the header alone', () => {
    for (const length of [0, 1025, 0x7fffffff, 0x80000000, 0xffffffff]) {
      assert.throws(() => readAll([header(length)]), FrameError, `length ${length}`);
      const bytes = [...header(length)].map((byte) => Buffer.from([byte]));
      assert.throws(() => readAll(bytes), FrameError, `length ${length}, byte by byte`);
    }
    assert.deepEqual(readAll([encodeFrame(Buffer.alloc(1024, 0x61))]), ['a'.repeat(1024)]);
  });

  test('[N1] frames before a bad length are given out', () => {
    const decoder = createFrameDecoder(1024);
    const seen: string[] = [];
    assert.throws(() => {
      for (const frame of decoder.push(Buffer.concat([stream, header(0)])))
        seen.push(frame.toString('latin1'));
    }, FrameError);
    assert.deepEqual(seen, wanted);
  });

  test('[N2] a limit that is raised between two frames of a chunk counts for the second', () => {
    const chunk = Buffer.concat([encodeFrame(Buffer.alloc(4)), encodeFrame(Buffer.alloc(100))]);
    const decoder = createFrameDecoder(10);
    const sizes: number[] = [];
    for (const frame of decoder.push(chunk)) {
      sizes.push(frame.length);
      decoder.setLimit(200);
    }
    assert.deepEqual(sizes, [4, 100]);
    assert.throws(() => [...createFrameDecoder(10).push(chunk)], FrameError);
  });

  test('[N3] a large length that is announced and not sent takes no memory', () => {
    const before = process.memoryUsage().arrayBuffers;
    const decoders = Array.from({ length: 2000 }, () => createFrameDecoder(1024 * 1024));
    for (const decoder of decoders) assert.deepEqual([...decoder.push(header(1024 * 1024))], []);
    const each = (process.memoryUsage().arrayBuffers - before) / decoders.length;
    assert.ok(each < 1024, `${each} bytes each`);
  });
});
