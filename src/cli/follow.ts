/** Loaded before a process that `npm start` runs: the process ends when its parent is gone, however that ended. */
const LONGEST_MS = 10_000

process.on('disconnect', () => {
  process.kill(process.pid, 'SIGTERM')
  // Whoever does not end by itself.
  setTimeout(() => process.kill(process.pid, 'SIGKILL'), LONGEST_MS).unref()
})
// A process may end by itself while its parent lives.
process.channel?.unref()
