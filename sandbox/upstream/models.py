"""The models that the emulator has, as the service lists its own.

https://docs.acedata.cloud/en/guides/aichat/aichat_conversations names the first 67; the others came since.
"""

_NAMES = """
gpt-5.1 gpt-5.1-all gpt-5 gpt-5-mini gpt-5-nano gpt-5-all
gpt-4.1 gpt-4.1-2025-04-14 gpt-4.1-mini gpt-4.1-mini-2025-04-14 gpt-4.1-nano gpt-4.1-nano-2025-04-14
gpt-4o gpt-4o-mini gpt-4o-all gpt-4o-image gpt-4o-2024-05-13 gpt-4o-2024-08-06 gpt-4o-2024-11-20
gpt-4o-mini-2024-07-18 gpt-4o-search-preview gpt-4o-search-preview-2025-03-11
gpt-4o-mini-search-preview gpt-4o-mini-search-preview-2025-03-11
gpt-4.5-preview gpt-4.5-preview-2025-02-27
gpt-4 gpt-4-all gpt-4-turbo gpt-4-turbo-preview gpt-4-vision-preview
o4-mini o4-mini-2025-04-16 o4-mini-all o4-mini-high-all
o3 o3-2025-04-16 o3-all o3-pro o3-pro-2025-06-10
o3-mini o3-mini-2025-01-31 o3-mini-2025-01-31-high o3-mini-2025-01-31-low o3-mini-2025-01-31-medium o3-mini-all
o3-mini-high o3-mini-high-all o3-mini-low o3-mini-medium
o1 o1-2024-12-17 o1-all o1-pro o1-pro-2025-03-19 o1-pro-all o1-mini o1-mini-2024-09-12 o1-mini-all
o1-preview o1-preview-2024-09-12 o1-preview-all
deepseek-r1 deepseek-r1-0528 deepseek-v3 deepseek-v3-250324
grok-3
gpt-6.1-sol gpt-6-sol gpt-6-luna gpt-6-astra
gpt-5.6-sol gpt-5.6-sol-fast gpt-5.6-luna gpt-5.6-terra gpt-5.5 gpt-5.5-pro
gpt-5.4 gpt-5.4-mini gpt-5.4-nano gpt-5.4-pro gpt-5.2
gemini-3.8-flash
deepseek-v4.1-flash deepseek-v4-flash deepseek-v4-pro
grok-4.7 grok-4.5
glm-5.3 glm-5.2 glm-5.1 glm-5 glm-5-turbo glm-4.7 glm-4.6 glm-3-turbo
"""
MODELS = frozenset(_NAMES.split())
