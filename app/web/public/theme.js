// Before the first paint, so that a chosen theme does not flash; see src/theme.ts.
try {
  const theme = localStorage.getItem('sunder.theme')
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme
} catch {
  // without storage the system's theme stands
}
